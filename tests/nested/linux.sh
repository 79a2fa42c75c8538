#!/bin/sh
# Debian's kernels, 32-bit and 64-bit, to a busybox shell in hybrid on a real kvm_amd; the
# 32-bit one has read disk and CD. With V2E_NESTED_LINUX=1 the 64-bit one as well, and it
# runs on a real kvm_intel, too: minutes, as Bochs is slow.
# Arguments name the modes of machine.sh; amd and intel by default.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/nested/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need xorriso xorriso
firmware=/usr/share/seabios
[ $# -gt 0 ] || set -- amd intel
if [ ! -r $firmware/bios.bin ]; then
	skip "Linux in nested KVM" "no SeaBIOS (Debian: apt install seabios)"
	finish
fi
need_v2e
for architecture in i386 amd64; do
	reason=$("$boot/debian-linux.sh" $architecture "$V2E_BUILD/payloads/debian-$architecture" 2>&1)
	case $? in
	0) ;;
	77) skip "Linux in nested KVM" "$reason"; finish ;;
	*) echo "$reason"; fail "a kernel and an initial RAM disk are made"; finish ;;
	esac
done

make_numbers

# Less of what takes time and shows nothing: messages, calibrations that a loaded host
# makes fail, checks of the kernel by itself. No APIC: the board has none.
line="console=ttyS0,115200 quiet panic=-1 tsc=reliable lpj=4000000 mitigations=off nokaslr noapic nolapic nosmp"
line="$line lsm= audit=0 8250.nr_uarts=1 no_timer_check random.trust_cpu=on rcupdate.rcu_expedited=1 nowatchdog"
line="$line cryptomgr.notests v2e.exit"

all() { [ "${V2E_NESTED_LINUX:-0}" = 1 ]; }
has_disks() { [ "$1" = i386 ] || all; } # ARCHITECTURE

# linux ARCHITECTURE: a command for the machine; status 67 is written by the guest.
linux()
{
	words=$line
	has_disks "$1" || words="$line v2e.quick"
	printf '/v2e\trun\t--engine\thybrid\t--bios\t/bios.bin\t--vgabios\t/vgabios.bin\t-m\t96M\t--kernel\t/%s-vmlinuz\t' "$1"
	printf -- '--disk\t/disk.img\t--cdrom\t/numbers.iso\t--initrd\t/%s-initrd\t--append\t%s\t--exit-port\t0xf4\t--serial\tstdio\t--stats\t--timeout\t2000s\n' "$1" "$words"
	for name in vmlinuz initrd; do
		suffix=
		[ $name = vmlinuz ] || suffix=.gz
		echo "$1-$name=$V2E_BUILD/payloads/debian-$1/$name$suffix" >&3
	done
}

# said NUMBER: what the machine said while it ran this command.
said() { awk -v wanted="$1" 'BEGIN { n = 1 } n == wanted; /^nested: [0-9]/ { n++ }' "$tmp/$mode/out"; }
# The serial port has the kernel's escape sequences in the same line.
prints() { said "$1" | grep -q "$2"; }
is_zero() { said "$1" | grep -E "^($2) "; ! said "$1" | grep -qE "^($2) [1-9]"; }

# judge NUMBER ARCHITECTURE NAME MACHINE SUM: that of the disk as it is found.
judge()
{
	if has_disks "$2"; then
		check "$mode: $3: the disk is read" prints "$1" "^$5  /dev/sda"
		check "$mode: $3: the disk is written" prints "$1" "^$after  /dev/sda"
		check "$mode: $3: the CD is read" prints "$1" "^$numbers  /cd/numbers"
	else
		skip "$mode: $3: disk and CD" "another half minute; set V2E_NESTED_LINUX=1"
	fi
	check "$mode: $3: the shell" prints "$1" "shell on Linux 6.* $4"
	check "$mode: $3: the guest ends it" prints "$1" "^nested: $1 67"
	check "$mode: $3: KVM ran it" prints "$1" '^handover-from-emu-mode [1-9]'
	check "$mode: $3: and never gave up" is_zero "$1" 'kvm.failed_[a-z]*|stop-error'
}

for mode; do
	if [ "$mode" != amd ] && ! all; then
		skip "Linux in nested $mode" "it takes minutes; set V2E_NESTED_LINUX=1"
		continue
	fi
	mkdir -p "$tmp/$mode"
	{ { [ "$mode" != amd ] || linux i386; } && linux amd64; } 3>"$tmp/$mode/files" >"$tmp/$mode/commands"
	cat >>"$tmp/$mode/files" <<-END
		v2e=$tmp/v2e
		bios.bin=$firmware/bios.bin
		vgabios.bin=$firmware/vgabios-stdvga.bin
		disk.img=$tmp/disk.img
		numbers.iso=$tmp/numbers.iso
	END
	V2E_NESTED_TIMEOUT=${V2E_NESTED_TIMEOUT:-3000} "$V2E_SRC/tests/nested/machine.sh" "$mode" "$tmp/$mode" >"$tmp/$mode/out" 2>&1
	ended=$?
	if [ $ended -eq 77 ]; then
		skip "Linux in nested $mode" "$(tail -n 1 "$tmp/$mode/out")"
		continue
	fi
	if [ "$mode" = amd ]; then
		judge 1 i386 "32-bit Debian" i686 "$before"
		# It finds what the first one wrote.
		judge 2 amd64 "64-bit Debian" x86_64 "$after"
	else
		judge 1 amd64 "64-bit Debian" x86_64 "$before"
	fi
	[ $ended -eq 0 ] || { fail "$mode: the machine ends by itself"; tail -n 20 "$tmp/$mode/out"; }
	[ -z "${V2E_KEEP:-}" ] || cp "$tmp/$mode/out" "$V2E_KEEP/nested-linux-$mode.out"
done
finish
