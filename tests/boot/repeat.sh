#!/bin/sh
# In virtual time a run repeats to the bit, with the JIT and without.
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
for run in 1 2 3; do
	[ $run -lt 3 ] && jit=on || jit=off
	check "run $run" \
		guest -m 128M --jit $jit "$payloads/SLES.iso" --timeout 600s --stats --debugcon 0x402:log-$run --serial none \
			--do 'wait-text ISOLINUX 120s' --do 'wait-stable 3s 300s' --do 'keys <down>' \
			--do 'sleep 500ms' --do "screenshot $run.png" --do quit
	cat out err | grep -E '^[a-z.-]+_?[a-z]* [0-9]+$' >stats-$run
done
check "millions of instructions were counted" grep -qE '^insns [0-9]{8,}$' stats-1
check "the counts are equal" cmp stats-1 stats-2
check "the pictures are equal" cmp 1.png 2.png
check "the firmware's logs are equal" cmp log-1 log-2
for run in 1 3; do
	grep -E '^(insns|blocks|guest-ns) ' stats-$run >machine-$run
done
check "without the JIT the machine counts the same" cmp machine-1 machine-3
check "without the JIT the picture is the same" cmp 1.png 3.png
check "without the JIT the firmware's log is the same" cmp log-1 log-3
finish
