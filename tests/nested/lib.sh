# For the nested tests, after tests/lib.sh: v2e and test programs that need no library
# in the emulated machine, linked from the objects of V2E_BUILD.
nested=$V2E_SRC/tests/nested

static_link()
{
	target=$1
	shift
	libraries=$(pkg-config --static --libs glib-2.0 capstone libpng zlib) || return 1
	# Where configure found it, the sandbox is in the library.
	pkg-config --exists libseccomp && libraries="$libraries $(pkg-config --static --libs libseccomp)"
	# shellcheck disable=SC2086
	"${CC:-cc}" -O2 -std=gnu11 -pthread -static -I"$V2E_SRC" $(pkg-config --cflags glib-2.0 capstone) \
		-DV2E_VERSION='"nested"' -DV2E_SEABIOS='"/bios.bin"' -DV2E_VGABIOS='"/vgabios.bin"' \
		-o "$target" "$@" "$V2E_BUILD/libv2e.a" "$tmp/no_slirp.o" $libraries
}

# static_v2e TARGET: displays.c anew, without the libraries of front ends, which cannot
# be had statically.
static_v2e()
{
	"${CC:-cc}" -c -o "$tmp/no_slirp.o" "$nested/no_slirp.c" && static_link "$1" "$V2E_SRC/cli/main.c" "$V2E_SRC/cli/displays.c"
}

# need_v2e: ends the script as skipped where there is nothing to link; $tmp/v2e.
need_v2e()
{
	if [ ! -f "$V2E_BUILD/libv2e.a" ]; then
		skip "nested KVM" "no $V2E_BUILD/libv2e.a: build v2e first, or set V2E_BUILD"
		finish
	fi
	static_v2e "$tmp/v2e" >"$tmp/link.out" 2>&1 && return
	cat "$tmp/link.out"
	skip "nested KVM" "nothing can be linked statically here"
	finish
}
