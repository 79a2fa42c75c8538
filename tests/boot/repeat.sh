#!/bin/sh
# In virtual time a run repeats to the bit.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need xorriso xorriso
need cpio cpio
need /usr/lib/ISOLINUX/isolinux.bin isolinux
need /usr/lib/syslinux/modules/bios/gfxboot.c32 syslinux-common
need /etc/bootsplash/themes gfxboot-themes
if [ "${V2E_CLOCK:-virtual}" = real ]; then
	skip repeat.sh "the clock is real"
	finish
fi

assemble kernel && gfxboot_iso SLES SLES "$payloads/kernel.bin" || exit 1
for run in 1 2; do
	check "run $run" \
		guest -m 128M "$payloads/SLES.iso" --timeout 600s --stats --debugcon 0x402:log-$run --serial none \
			--do 'wait-text ISOLINUX 120s' --do 'wait-stable 3s 300s' --do 'keys <down>' \
			--do 'sleep 500ms' --do "screenshot $run.png" --do quit
	cat out err | grep -E '^[a-z.-]+_?[a-z]* [0-9]+$' >stats-$run
done
check "millions of instructions were counted" grep -qE '^insns [0-9]{8,}$' stats-1
check "the counts are equal" cmp stats-1 stats-2
check "the pictures are equal" cmp 1.png 2.png
check "the firmware's logs are equal" cmp log-1 log-2
finish
