#!/bin/sh
# engines.sh [CASE...]: the payloads under each engine that this host offers beside the
# emulator, for which every case is a test of its own; tests/nested/payloads.sh has them
# on a real KVM. Where KVM interprets they take minutes each: what is not wanted in each
# run is there only with V2E_ALL_ENGINES=1.
. "${V2E_SRC:-.}/tests/lib.sh"
boot=$V2E_SRC/tests/boot
[ $# -gt 0 ] || set -- game firmware floppies isolinux extlinux grub ipxe memtest loaders network gfxboot linux virtio boot-loaders

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

# gives_up CASE: what KVM alone cannot do here: it must say so itself.
gives_up()
{
	echo "== $1 under kvm"
	V2E_ENGINE=kvm "$boot/$1.sh" >"$tmp/case" 2>&1
	reason=$(sed -n 's/.*error: \(KVM .*\)/\1/p' "$tmp/case" | head -n 1)
	place=$(sed -n 's/.*error: kvm: \(.*\), detail.*/\1/p' "$tmp/case" | head -n 1)
	if [ -n "$reason" ]; then
		skip "$1 under kvm" "in $place: $reason"
	else
		cat "$tmp/case"
		fail "$1 under kvm, which should have given up"
	fi
}

# interpreted ENGINE CASE: what can be had of a KVM that interprets.
interpreted()
{
	V2E_PATIENCE=1 V2E_OPTIONS=
	export V2E_OPTIONS V2E_PATIENCE
	case $1-$2 in
	*-game)
		V2E_PATIENCE=0 # it is quick enough for each run
		with "$1" "$2"
		return ;;
	kvm-memtest | kvm-linux | kvm-virtio | kvm-boot-loaders)
		skip "$2 under kvm" "the KVM of this host refuses 32-bit paging"
		return ;;
	kvm-grub)
		skip "grub under kvm" "the font of its graphical menu takes the KVM of this host more than six minutes"
		return ;;
	kvm-network)
		# It takes iPXE from its ROM to the place at which ipxe.sh ends, after ten minutes.
		skip "network under kvm" "the KVM of this host cannot interpret what iPXE does once it is unpacked"
		return ;;
	esac
	if [ "${V2E_ALL_ENGINES:-0}" != 1 ]; then
		skip "$2 under $1" "minutes, as the KVM of this host interprets; set V2E_ALL_ENGINES=1"
		return
	fi
	case $1-$2 in
	kvm-isolinux | kvm-extlinux | kvm-ipxe | kvm-gfxboot)
		gives_up "$2"
		return ;;
	# Pictures take hundreds of millions of instructions in protected mode: the emulator
	# keeps it for longer. Where Linux unpacks itself the costs say that it stays there.
	hybrid-isolinux | hybrid-network) V2E_OPTIONS='--threshold 100000' ;;
	hybrid-gfxboot | hybrid-grub) V2E_OPTIONS='--threshold 1000000' ;;
	hybrid-virtio | hybrid-boot-loaders) V2E_OPTIONS='--policy adaptive' ;;
	esac
	with "$1" "$2"
}

for engine in $(engines); do
	[ "$engine" != emu ] || continue
	for case; do
		[ "$engine-$case" != hybrid-linux ] || continue # is in linux.sh
		if interprets pm32 || interprets real; then
			interpreted "$engine" "$case"
		else
			with "$engine" "$case"
		fi
	done
done
[ "$passed" -gt 0 ] || skip "other engines" "the emulator is all that this host offers"
finish
