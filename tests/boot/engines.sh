#!/bin/sh
# engines.sh [CASE...]: the payloads under each engine that this host offers beside the
# emulator, for which every case is a test of its own; tests/nested/payloads.sh has them
# on a real KVM.
#
# Where KVM interprets, some million instructions a second, hybrid comes in two ways:
# with --policy adaptive, which sees that and leaves protected mode to the emulator, in
# each run; and by the rule, where KVM has its part. That takes minutes a case, as KVM
# alone does, and is there only with V2E_ALL_ENGINES=1. Pictures are hundreds of millions of
# instructions and never KVM's there.
. "${V2E_SRC:-.}/tests/lib.sh"
boot=$V2E_SRC/tests/boot
[ $# -gt 0 ] || set -- game firmware floppies isolinux extlinux grub ipxe memtest loaders network gfxboot linux virtio boot-loaders

# with ENGINE CASE: adds what it counts.
with()
{
	echo "== $2 under $1 ${V2E_OPTIONS:-}"
	: >"$tmp/count"
	V2E_ENGINE=$1 V2E_COUNT=$tmp/count "$boot/$2.sh" >"$tmp/case" 2>&1
	cat "$tmp/case"
	# shellcheck disable=SC2046
	set -- "$1" "$2" $(tail -n 1 "$tmp/case" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	if [ $# -ne 5 ]; then
		fail "$2 under $1 ends without a count"
		return
	fi
	passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
}

# by_the_rule ENGINE CASE: KVM must have run, and not by chance.
by_the_rule()
{
	V2E_OPTIONS= V2E_PICTURE_OPTIONS=
	[ "$1" = kvm ] || V2E_PICTURE_OPTIONS='--policy adaptive'
	with "$1" "$2"
	check "$2 under $1: KVM had its part of it" grep -q '^kvm\.runs [1-9][0-9]' "$tmp/count"
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

# adaptive CASE: under hybrid.
adaptive()
{
	V2E_OPTIONS='--policy adaptive' V2E_PICTURE_OPTIONS=
	with hybrid "$1"
}

# interpreted ENGINE CASE: what can be had of a KVM that interprets.
interpreted()
{
	V2E_PATIENCE=1 V2E_OPTIONS= V2E_PICTURE_OPTIONS=
	export V2E_OPTIONS V2E_PATIENCE V2E_PICTURE_OPTIONS
	case $1-$2 in
	*-game)
		by_the_rule "$1" "$2" # it is quick enough for each run
		return ;;
	kvm-memtest | kvm-linux | kvm-virtio | kvm-boot-loaders)
		skip "$2 under kvm" "the KVM of this host refuses 32-bit paging"
		return ;;
	kvm-network)
		# It takes iPXE from its ROM to the place at which ipxe.sh ends, after ten minutes.
		skip "network under kvm" "the KVM of this host cannot interpret what iPXE does once it is unpacked"
		return ;;
	hybrid-isolinux | hybrid-extlinux | hybrid-grub | hybrid-ipxe | hybrid-memtest | hybrid-network)
		adaptive "$2" ;;
	esac
	if [ "${V2E_ALL_ENGINES:-0}" != 1 ]; then
		skip "$2 under $1" "minutes, as the KVM of this host interprets; set V2E_ALL_ENGINES=1"
		return
	fi
	case $1-$2 in
	kvm-isolinux | kvm-extlinux | kvm-ipxe | kvm-gfxboot)
		gives_up "$2" ;;
	# Where Linux unpacks itself and where gfxboot decodes its pictures KVM would take an
	# hour; hybrid.sh has KVM its part of gfxboot.
	hybrid-gfxboot | hybrid-virtio | hybrid-boot-loaders)
		adaptive "$2" ;;
	*)
		by_the_rule "$1" "$2" ;;
	esac
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
