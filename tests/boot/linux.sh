#!/bin/sh
# Debian's 32-bit kernel to a busybox shell on serial port and screen; what it reads
# from disk and CD, and what it wrote, is what is there. tests/nested/linux.sh has the
# 64-bit one.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need xorriso xorriso
need cpio cpio
need_linux "Linux"

make_numbers
line='console=tty0 console=ttyS0,115200 panic=-1 tsc=unstable'

# boots ARGUMENTS...: to both shells; leaves the files serial, screen and screen.png.
boots()
{
	rm -f serial
	guest -m 128M --kernel "$linux/vmlinuz" --initrd "$linux/initrd.gz" --append "$line" --serial file:serial --timeout 900s "$@" \
		--do 'wait-serial "shell on Linux" 800s' --do 'wait-stable 2s 60s' --do 'type "echo answer $((6 * 7))"' --do 'keys <enter>' \
		--do 'wait-text "answer 42" 60s' --do 'screen-text screen' --do 'screenshot screen.png' --do quit && return
	tail -n 20 serial
	return 1
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

# on ENGINE OPTIONS...
on()
{
	engine=$1
	shift
	cp disk.img written.img
	check "$engine boots Linux" boots --disk written.img --cdrom numbers.iso "$@"
	looks_at $engine
	check "$engine: what the guest wrote is in the file" cmp written.img expected.img
}

if [ "$engine" != emu ]; then
	on "$engine"
	finish
fi
on emu

# Hybrid. A KVM that interprets would take minutes for what unpacks the kernel, and takes
# no paging: the emulator must be left alone with it, as the costs say.
if "$V2E" run --engine hybrid --do quit >out 2>err; then
	policy=v2e
	! interprets pm32 || policy=adaptive
	clock=${V2E_CLOCK:-} V2E_CLOCK=real
	on hybrid --policy $policy
	engine=emu V2E_CLOCK=$clock
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
