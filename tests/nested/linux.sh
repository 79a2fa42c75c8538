#!/bin/sh
# Debian's kernels, 64-bit and 32-bit, to a busybox shell in hybrid on a real kvm_amd; on
# a real kvm_intel the 64-bit one, if V2E_NESTED_LINUX=1: minutes, as Bochs is slow.
# Arguments name the modes of machine.sh; amd and intel by default.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/nested/lib.sh"
boot=$V2E_SRC/tests/boot
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

# Less of what takes time and shows nothing: messages, calibrations that a loaded host
# makes fail, checks of the kernel by itself. No APIC: the board has none.
line="console=ttyS0,115200 quiet panic=-1 tsc=reliable lpj=4000000 mitigations=off nokaslr noapic nolapic nosmp"
line="$line lsm= audit=0 8250.nr_uarts=1 no_timer_check random.trust_cpu=on rcupdate.rcu_expedited=1 nowatchdog"
line="$line cryptomgr.notests v2e.quick v2e.exit"

# linux ARCHITECTURE: a command for the machine; status 67 is written by the guest.
linux()
{
	printf '/v2e\trun\t--engine\thybrid\t--bios\t/bios.bin\t--vgabios\t/vgabios.bin\t-m\t96M\t--kernel\t/%s-vmlinuz\t' "$1"
	printf -- '--initrd\t/%s-initrd\t--append\t%s\t--exit-port\t0xf4\t--serial\tstdio\t--stats\t--timeout\t2000s\n' "$1" "$line"
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

# judge NUMBER NAME MACHINE
judge()
{
	check "$mode: $2: the shell" prints "$1" "shell on Linux 6.* $3"
	check "$mode: $2: the guest ends it" prints "$1" "^nested: $1 67"
	check "$mode: $2: KVM ran it" prints "$1" '^handover-from-emu-mode [1-9]'
	check "$mode: $2: and never gave up" is_zero "$1" 'kvm.failed_[a-z]*|stop-error'
}

for mode; do
	if [ "$mode" != amd ] && [ "${V2E_NESTED_LINUX:-0}" != 1 ]; then
		skip "Linux in nested $mode" "it takes minutes; set V2E_NESTED_LINUX=1"
		continue
	fi
	mkdir -p "$tmp/$mode"
	{ linux amd64 && { [ "$mode" != amd ] || linux i386; } } 3>"$tmp/$mode/files" >"$tmp/$mode/commands"
	cat >>"$tmp/$mode/files" <<-END
		v2e=$tmp/v2e
		bios.bin=$firmware/bios.bin
		vgabios.bin=$firmware/vgabios-stdvga.bin
	END
	V2E_NESTED_TIMEOUT=${V2E_NESTED_TIMEOUT:-3000} "$V2E_SRC/tests/nested/machine.sh" "$mode" "$tmp/$mode" >"$tmp/$mode/out" 2>&1
	ended=$?
	if [ $ended -eq 77 ]; then
		skip "Linux in nested $mode" "$(tail -n 1 "$tmp/$mode/out")"
		continue
	fi
	judge 1 "64-bit Debian" x86_64
	[ "$mode" != amd ] || judge 2 "32-bit Debian" i686
	[ $ended -eq 0 ] || { fail "$mode: the machine ends by itself"; tail -n 20 "$tmp/$mode/out"; }
	[ -z "${V2E_KEEP:-}" ] || cp "$tmp/$mode/out" "$V2E_KEEP/nested-linux-$mode.out"
done
finish
