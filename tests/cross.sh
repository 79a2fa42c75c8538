#!/bin/sh
# cross.sh: builds v2e for arm64 as for any host without the JIT, and runs the unit
# tests and the firmware in qemu-user. Takes Debian's cross compiler, and a folder with
# arm64's libraries, V2E_SYSROOT (build/sysroot-arm64); docs/building.md tells how to
# make it.
. "${V2E_SRC:-$(cd "$(dirname "$0")/.." && pwd)}/tests/lib.sh"
sysroot=${V2E_SYSROOT:-$V2E_SRC/build/sysroot-arm64}
build=$V2E_SRC/build/tests/cross
triplet=aarch64-linux-gnu

lacks()
{
	skip cross "$1"
	finish
}
have $triplet-gcc || lacks "no $triplet-gcc (Debian: apt install gcc-$triplet libc6-dev-arm64-cross)"
have qemu-aarch64-static || lacks "no qemu-aarch64-static (Debian: apt install qemu-user-static)"
[ -e "$sysroot/usr/lib/$triplet/pkgconfig/glib-2.0.pc" ] ||
	lacks "no arm64 libraries in $sysroot; docs/building.md tells how to get them there"

PKG_CONFIG_LIBDIR=$sysroot/usr/lib/$triplet/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$sysroot
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR

configure_it()
{
	mkdir -p "$build" && cd "$build" &&
		"$V2E_SRC/configure" --quiet --host=$triplet CC="$triplet-gcc --sysroot=$sysroot" CFLAGS=-O1 --enable-werror "$@"
}

build_it() { make -s -C "$build" -j"$(nproc)" all && make -s -C "$build" -j"$(nproc)" test-programs; }
run_it() { qemu-aarch64-static -L "$sysroot" "$@"; }

# refused TEXT COMMAND...: fails, and says TEXT.
refused()
{
	text=$1
	shift
	if "$@" >"$tmp/refused" 2>&1; then
		echo "it went well"
		return 1
	fi
	grep -qF "$text" "$tmp/refused" || { cat "$tmp/refused"; return 1; }
}

no_assembler() { (build=$tmp/none && configure_it X86_PREFIX=no-such-); }
check "configure names the assembler that it misses" refused "apt install binutils-x86-64-linux-gnu" no_assembler
check "it builds without a warning" eval 'configure_it && build_it'
if [ "$failed" -gt 0 ]; then
	finish
fi
check "large pages are refused" refused "pages of 65536 bytes" run_it -p 65536 "$build/v2e" probe

# The limits of time are for the bare host.
units() { V2E_SRC=$V2E_SRC CK_TIMEOUT_MULTIPLIER=20 run_it "$build/tests/unit/unit" >"$tmp/units" 2>&1; }
if units; then
	pass "unit tests: $(tail -n 1 "$tmp/units")"
else
	fail "unit tests"
	tail -n 40 "$tmp/units"
fi

# v2e and what looks at its pictures, as the boot tests call them.
wrap()
{
	mkdir -p "$tmp/as-host/$(dirname "$1")"
	printf '#!/bin/sh\nexec qemu-aarch64-static -L "%s" "%s/%s" "$@"\n' "$sysroot" "$build" "$1" >"$tmp/as-host/$1"
	chmod +x "$tmp/as-host/$1"
}
wrap v2e
wrap tests/boot/pngdiff
check "boot/firmware" env V2E_SRC="$V2E_SRC" V2E_BUILD="$tmp/as-host" "$V2E_SRC/tests/boot/firmware.sh"
finish
