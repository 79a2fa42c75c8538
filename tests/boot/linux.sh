#!/bin/sh
# Debian's 32-bit kernel to a busybox shell on serial port and screen; what it reads
# from disk and CD, and what it wrote, is what is there. tests/nested/linux.sh has the
# 64-bit one.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need xorriso xorriso
need cpio cpio
need_linux "Linux"

# A disk and a CD of numbers; the guest copies the disk's first 64 KiB over the second.
awk 'BEGIN { srand(7); for (i = 0; i < 400000; i++) print rand() }' >numbers
head -c 2M numbers >disk.img
mkdir cd && head -c 3000000 numbers >cd/numbers
xorriso -as mkisofs -quiet -o numbers.iso -V NUMBERS cd 2>/dev/null || exit 1
before=$(md5sum <disk.img | cut -c1-32)
cp disk.img expected.img && dd if=disk.img of=expected.img bs=64k count=1 seek=1 conv=notrunc status=none
after=$(md5sum <expected.img | cut -c1-32)
numbers=$(md5sum <cd/numbers | cut -c1-32)
line='console=tty0 console=ttyS0,115200 panic=-1 tsc=unstable'

# boot ARGUMENTS...: to both shells; leaves the files serial, screen and screen.png.
boots()
{
	rm -f serial
	"$V2E" run -m 128M --kernel "$linux/vmlinuz" --initrd "$linux/initrd.gz" --append "$line" --serial file:serial --timeout 900s "$@" \
		--do 'wait-serial "shell on Linux" 800s' --do 'wait-stable 2s 60s' --do 'type "echo answer $((6 * 7))"' --do 'keys <enter>' \
		--do 'wait-text "answer 42" 60s' --do 'screen-text screen' --do 'screenshot screen.png' --do quit >out 2>err
	status=$?
	cat out err
	[ $status -eq 0 ] || tail -n 20 serial
	return $status
}
printed() { grep -q -e "$1" serial; }

# looks_at NAME: what the boot has left.
looks_at()
{
	check "$1: the shell on the serial port" printed '^shell on Linux 6.* i686'
	check "$1: the shell on the screen" grep -q '^answer 42' screen
	check "$1: 720x400" size_is screen.png 720 400
	check "$1: the disk is read" printed "^$before  /dev/sda"
	check "$1: the disk is written" printed "^$after  /dev/sda"
	check "$1: the CD is read" printed "^$numbers  /cd/numbers"
	check "$1: nothing went wrong" sh -c "! grep -E 'Oops|BUG:|WARNING:|Call Trace|I/O error' serial"
}

cp disk.img written.img
check "the emulator boots Linux" boots --engine emu --clock "${V2E_CLOCK:-virtual}" --disk written.img --cdrom numbers.iso
looks_at emulator
check "what the guest wrote is in the file" cmp written.img expected.img

# Hybrid. A KVM that interprets would take minutes for what unpacks the kernel, and takes
# no paging: the emulator must be left alone with it, as the costs say.
if "$V2E" run --engine hybrid --do quit >out 2>err; then
	policy=v2e
	! interprets pm32 || policy=adaptive
	check "hybrid boots Linux, --policy $policy" boots --engine hybrid --policy $policy --snapshot --disk disk.img --cdrom numbers.iso
	looks_at hybrid
else
	skip "hybrid boots Linux" "$(head -n 1 err)"
fi

# A 64-bit kernel where nothing runs it: it asks first, and says so itself.
reason=$("$boot/debian-linux.sh" amd64 "$payloads/debian-amd64" 2>&1)
case $? in
0)
	for cpu in p6 x86-64; do
		check "a 64-bit kernel without a CPU for it, --cpu $cpu" guest --cpu $cpu -m 128M --kernel "$payloads/debian-amd64/vmlinuz" --timeout 60s \
			--do 'wait-text "This kernel requires an x86-64 CPU, but only detected an i686 CPU." 30s' --do quit
	done ;;
77) skip "a 64-bit kernel without a CPU for it" "$reason" ;;
*) echo "$reason"; fail "a 64-bit kernel is made" ;;
esac
finish
