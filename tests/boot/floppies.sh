#!/bin/sh
# Floppies of every size: the boot sector, read back to the last sector.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need /usr/share/seabios/bios.bin seabios

# size TRACKS HEADS SECTORS: of each format, in KiB
for format in '160 40 1 8' '180 40 1 9' '320 40 2 8' '360 40 2 9' '720 80 2 9' '1200 80 2 15' '1440 80 2 18' '2880 80 2 36'; do
	# shellcheck disable=SC2086
	set -- $format
	size=$1
	nasm -f bin -DTRACKS="$2" -DHEADS="$3" -DSECTORS="$4" -o sector "$boot/floppy.asm" || exit 1
	# Numbers for all sectors, and the sum that the guest must find.
	awk -v n=$((size * 32)) -v seed="$size" 'BEGIN { srand(seed); for (i = 0; i < n; i++) printf "%04x %04x %04x %04x %04x %04x %04x\n",
		rand() * 65536, rand() * 65536, rand() * 65536, rand() * 65536, rand() * 65536, rand() * 65536, rand() * 65536 }' >data
	cat sector data | head -c $((size * 1024)) >floppy-$size.img
	truncate -s $((size * 1024)) floppy-$size.img
	sum=$(od -An -v -tu2 -w2 floppy-$size.img | awk '{ s = (s + $1) % 65536 } END { printf "%04X", s }')
	check "${size}K is read whole" \
		guest --snapshot floppy-$size.img --timeout 300s --do "wait-text \"Sum of all sectors: $sum\" 200s" --do quit
done
truncate -s 1000K odd.img
check "a size that no floppy has" sh -c "'$V2E' run --floppy odd.img 2>&1 | grep -q 'truncated or no floppy'"
finish
