#!/bin/sh
# The boot tests that need nothing of the emulator alone, under the other engines that
# this host offers; tests/nested/payloads.sh has more, on a real KVM.
. "${V2E_SRC:-.}/tests/lib.sh"
boot=$V2E_SRC/tests/boot

# with ENGINE CASE: adds what it counts.
with()
{
	echo "== $2 under $1"
	V2E_ENGINE=$1 "$boot/$2.sh" >"$tmp/case" 2>&1
	cat "$tmp/case"
	# shellcheck disable=SC2046
	set -- "$1" "$2" $(tail -n 1 "$tmp/case" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	if [ $# -ne 5 ]; then
		fail "$2 under $1 ends without a count"
		return
	fi
	passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
}

for engine in $(engines); do
	for case in game firmware floppies isolinux loaders; do
		case $engine-$case in
		emu-*) continue ;; # is what they do by themselves
		*-game) ;;
		kvm-isolinux | kvm-loaders)
			if interprets pm32; then
				skip "$case under kvm" "a KVM that interprets knows no 32-bit IRET"
				continue
			fi ;;
		*)
			if interprets pm32 || interprets real; then
				skip "$case under $engine" "half a minute and more with a KVM that interprets"
				continue
			fi ;;
		esac
		with "$engine" "$case"
	done
done
[ "$passed" -gt 0 ] || skip "other engines" "the emulator is all that this host offers"
finish
