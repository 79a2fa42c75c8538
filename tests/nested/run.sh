#!/bin/sh
# The KVM engine on a real kvm_amd and kvm_intel, in emulated machines. Arguments
# name the modes of machine.sh; all by default. V2E_BUILD holds objects of a build;
# v2e and the test program are linked statically from it.
. "${V2E_SRC:-.}/tests/lib.sh"
nested=$V2E_SRC/tests/nested
firmware=/usr/share/seabios
[ $# -gt 0 ] || set -- amd intel intel-nourg intel-noept

static_link()
{
	target=$1
	shift
	libraries=$(pkg-config --static --libs glib-2.0 capstone libpng) || return 1
	# shellcheck disable=SC2086
	"${CC:-cc}" -O2 -std=gnu11 -pthread -static -I"$V2E_SRC" $(pkg-config --cflags glib-2.0 capstone) \
		-DV2E_VERSION='"nested"' -DV2E_SEABIOS='"/bios.bin"' -DV2E_VGABIOS='"/vgabios.bin"' \
		-o "$target" "$@" "$V2E_BUILD/libv2e.a" $libraries
}

if [ ! -f "$V2E_BUILD/libv2e.a" ]; then
	skip "nested KVM" "no $V2E_BUILD/libv2e.a: build v2e first, or set V2E_BUILD"
	finish
fi
if ! static_link "$tmp/v2e" "$V2E_SRC/cli/main.c" >"$tmp/link.out" 2>&1 ||
   ! static_link "$tmp/stops" "$nested/stops.c" >>"$tmp/link.out" 2>&1; then
	cat "$tmp/link.out"
	skip "nested KVM" "nothing can be linked statically here"
	finish
fi
if ! have nasm || [ ! -r $firmware/bios.bin ]; then
	skip "nested KVM" "no nasm or no SeaBIOS (Debian: apt install nasm seabios)"
	finish
fi
nasm -f bin -o "$tmp/hello" "$V2E_SRC/tests/boot/hello.asm" && truncate -s 1440K "$tmp/hello" || exit 1

# add NAME WORDS...: one more for the next machine. Passes with status 0.
add()
{
	printf '%s\n' "$1" >>"$tmp/$mode/names"
	shift
	printf '%s' "$1" >>"$tmp/$mode/commands"
	shift
	for word; do
		printf '\t%s' "$word" >>"$tmp/$mode/commands"
	done
	echo >>"$tmp/$mode/commands"
}

boot()
{
	name=$1
	shift
	add "$mode: $name" /v2e run --bios /bios.bin --vgabios /vgabios.bin --floppy /hello --snapshot --stats --timeout 120s \
		"$@" --do 'wait-text "Hello from drive 00h" 100s' --do quit
}

# judge: counts what the machine said.
judge()
{
	number=0
	while read -r name; do
		number=$((number + 1))
		status=$(sed -n "s/^nested: $number \\([0-9]*\\)\$/\\1/p" "$tmp/$mode/out")
		if [ "${status:-none}" = 0 ]; then
			pass "$name"
		else
			fail "$name (exit status ${status:-none})"
			sed -n "/^nested: $((number - 1)) /,/^nested: $number /p" "$tmp/$mode/out" | sed 's/^/	/'
		fi
	done <"$tmp/$mode/names"
}

for mode; do
	mkdir -p "$tmp/$mode"
	cat >"$tmp/$mode/files" <<-END
		v2e=$tmp/v2e
		stops=$tmp/stops
		hello=$tmp/hello
		bios.bin=$firmware/bios.bin
		vgabios.bin=$firmware/vgabios-stdvga.bin
	END
	add "$mode: v2e probe" /v2e probe --json
	add "$mode: 1000 exact stops in each mode, by tracepoint" /stops trace 1000 1
	add "$mode: 1000 exact stops in each mode, by breakpoint" /stops breakpoint 1000 1
	add "$mode: stops of an engine that only looks" /stops lazy 100 0
	boot "SeaBIOS to a boot sector, hybrid" --engine hybrid
	boot "SeaBIOS to a boot sector, as auto chooses" --engine auto
	if [ "$mode" = amd ]; then
		boot "hybrid by breakpoint" --engine hybrid --watch breakpoint
		boot "hybrid, looking only" --engine hybrid --watch lazy
		boot "hybrid with threshold 0" --engine hybrid --threshold 0
		boot "hybrid that never leaves the emulator" --engine hybrid --threshold inf
		boot "KVM alone" --engine kvm
		for channel in futex eventfd process; do
			boot "hybrid by channel $channel" --engine hybrid --channel $channel
		done
	fi
	"$nested/machine.sh" "$mode" "$tmp/$mode" >"$tmp/$mode/out" 2>&1
	status=$?
	if [ $status -eq 77 ]; then
		skip "nested $mode" "$(tail -n 1 "$tmp/$mode/out")"
		continue
	fi
	judge
	[ $status -eq 0 ] || { fail "$mode: the machine ends by itself"; tail -n 20 "$tmp/$mode/out"; }
	[ -z "${V2E_KEEP:-}" ] || cp "$tmp/$mode/out" "$V2E_KEEP/nested-$mode.out"
done
finish
