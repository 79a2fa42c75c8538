#!/bin/sh
# make-grub-disk.sh fat|ext2 FOLDER IMAGE MIB MODULES: a hard disk of MIB with GRUB 2,
# as grub-install leaves it, without being root: a boot sector, GRUB's core behind it,
# and one active partition from 1 MiB on that holds FOLDER. MODULES go into the core,
# which reads FOLDER/boot/grub/grub.cfg.
set -eu
if [ $# -ne 5 ]; then
	echo "usage: $0 fat|ext2 FOLDER IMAGE MIB MODULES" >&2
	exit 2
fi
kind=$1 folder=$2 image=$3 size=$4 modules=$5
grub=/usr/lib/grub/i386-pc
work=$(mktemp -d "${TMPDIR:-/tmp}/v2e-grub.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
printf 'set root=(hd0,msdos1)\nset prefix=(hd0,msdos1)/boot/grub\nnormal /boot/grub/grub.cfg\n' >"$work/core.cfg"
# shellcheck disable=SC2086
grub-mkimage -O i386-pc -d $grub -p /boot/grub -c "$work/core.cfg" -o "$work/core.img" biosdisk part_msdos $kind $modules

# octal NUMBER BYTES: for printf, little-endian
octal()
{
	number=$1
	for byte in $(seq "$2"); do
		printf '\\%03o' $((number & 255))
		number=$((number >> 8))
	done
}
poke() { printf "$2" | dd of="$image" bs=1 seek="$1" conv=notrunc status=none; }

rm -f "$image"
truncate -s "${size}M" "$image"
head -c 440 $grub/boot.img | dd of="$image" conv=notrunc status=none
dd if="$work/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
# How many sectors the core's first one has to load.
poke $((512 + 0x1fc)) "$(octal $((($(stat -c %s "$work/core.img") + 511) / 512 - 1)) 2)"
sectors=$(((size - 1) * 2048))
case $kind in
fat) type=14 ;;
ext2) type=131 ;;
esac
poke 446 "\\200\\0\\1\\0$(octal $type 1)\\0\\0\\0$(octal 2048 4)$(octal $sectors 4)"
poke 510 '\125\252'
case $kind in
fat) mformat -i "$image@@1M" -T $sectors -h 16 -s 63 :: && mcopy -s -i "$image@@1M" "$folder"/* :: ;;
ext2) mke2fs -q -F -t ext2 -d "$folder" -E offset=1048576 "$image" $(((size - 1) * 1024)) ;;
esac
