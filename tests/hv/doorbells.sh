#!/bin/sh
# Notifications of a virtio disk by ioeventfd, on this host's KVM: none is lost, late
# where that can be seen, or heard where there is no device; and what is said where KVM
# has no part in it. What the guest tries is in tests/guest/virtio.c.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp" || exit 1
if ! "$V2E_SRC/tests/guest/make-kernel.sh" guest FROM=virtio LOAD_AT=0x200000 -DREPEAT=80 >gcc 2>&1; then
	skip "notifications" "no compiler for 32-bit guests: $(tail -n 1 gcc)"
	finish
fi
n=0
while [ $n -lt 64 ]; do
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $n)"
	head -c 511 /dev/zero
	n=$((n + 1))
done >disk

# passes ARGUMENTS...: 42 at the exit port is the guest's word for good.
passes()
{
	"$V2E" run guest --virtio-disk disk --snapshot --exit-port 0xf4 --serial file:serial --stats --timeout 60s "$@" >out 2>&1
	ends $?
}

ends() # STATUS
{
	cat out serial
	[ "$1" -eq 85 ] && return
	echo "exit status $1, which is $(($1 / 2)) in virtio.c if it is odd"
	return 1
}

refuses() # 'TEXT' ARGUMENTS...
{
	text=$1
	shift
	"$V2E" run guest --virtio-disk disk --snapshot --timeout 60s "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq 2 ] && grep -qF -e "$text" out
}

# at_least KEY NUMBER: the line of --stats
at_least()
{
	number=$(sed -n "s/^$1 //p" out)
	echo "$1: $number, expected: $2 or more"
	[ "${number:-0}" -ge "$2" ]
}

# saved ARGUMENTS...: in the middle of the second half
saved()
{
	"$V2E" run guest --virtio-disk disk --snapshot --exit-port 0xf4 --serial file:serial --timeout 60s "$@" \
		--do 'wait-serial "boot 1"' --do 'wait-serial "tried 1"' --do 'save state' --do quit >out 2>&1
}

resumed()
{
	"$V2E" run --restore state --serial file:serial --timeout 60s --stats "$@" >out 2>&1
	ends $?
}

check "the emulator" passes --engine emu --clock virtual
check "it has no ioeventfd" refuses "KVM has no part in this run (emu: as --engine says); give bus" --engine emu --virtio-notify ioeventfd
check "nor has a comparison" refuses "--compare has its own time" --compare emu,emu --virtio-notify ioeventfd
check "there is no other way" refuses "'fd' is no way for notifications; give auto, bus or ioeventfd" --virtio-notify fd
if ! "$V2E" probe --json >probe; then
	skip "notifications under KVM" "$("$V2E" probe | head -n 1)"
	finish
fi
check "irqfd wants interrupt controllers in the kernel" grep -q '"irqfd": false' probe
for engine in hybrid kvm; do
	check "$engine, by the bus" passes --engine $engine --virtio-notify bus
	check "$engine, by the bus: all of them" grep -q '^kvm.doorbells 0$' out
	check "$engine, as auto says" passes --engine $engine
done
if ! grep -q '"ioeventfd": true' probe; then
	skip "notifications by ioeventfd" "$("$V2E" probe | grep '^ioeventfd')"
	finish
fi
for engine in "kvm" "hybrid" "hybrid --threshold 0"; do
	# shellcheck disable=SC2086
	check "$engine, by ioeventfd" passes --engine $engine --virtio-notify ioeventfd
	check "$engine, by ioeventfd: many of them" at_least kvm.doorbells 320
done
at_once() { grep -c '^done in real mode: 10' serial | grep -qx 2; }
check "nothing is left over for another engine" at_once
check "saved in hybrid" saved --engine hybrid --virtio-notify ioeventfd
check "and restored in the emulator" resumed --engine emu
check "and restored in KVM" resumed --engine kvm --virtio-notify ioeventfd
check "and by ioeventfd again" at_least kvm.doorbells 80
check "saved in the emulator" saved --engine emu
check "and restored in KVM" resumed --engine kvm --virtio-notify ioeventfd
check "and a debugger's as well" refuses "KVM alone goes step by step; give bus" --engine kvm --gdb unix:gdb --virtio-notify ioeventfd
check "steps are by the bus" refuses "show each access; give bus" --engine hybrid --trace mem:0x1000+4 --virtio-notify ioeventfd

# As on hosts with another KVM.
if "${CC:-cc}" -shared -fPIC -o fail_ioctl.so "$V2E_SRC/tests/hv/fail_ioctl.c" -ldl 2>gcc && ! ldd "$V2E" | grep -q libasan; then
	LD_PRELOAD=$tmp/fail_ioctl.so
	export LD_PRELOAD
	FAIL_IOCTL=4040ae79,0,38
	export FAIL_IOCTL
	check "a KVM without" refuses "KVM does not do it (Function not implemented); give bus" --engine kvm --virtio-notify ioeventfd
	FAIL_IOCTL=4040ae79,1,28
	check "KVM fails later: the emulator goes on" passes --engine hybrid --virtio-notify ioeventfd
	check "and it is said" grep -q 'KVM_IOEVENTFD: No space left on device; KVM is not used any more' out
	unset LD_PRELOAD FAIL_IOCTL
	# Who has nothing to wait for does not end by a signal either: -k.
	only() # DEAF GUEST-OPTION... -- ARGUMENTS...: a guest that tries one thing, under tests/hv/deaf.c
	{
		deaf=$1 options=
		shift
		while [ "$1" != -- ]; do
			options="$options $1"
			shift
		done
		shift
		# shellcheck disable=SC2086
		"$V2E_SRC/tests/guest/make-kernel.sh" only FROM=virtio LOAD_AT=0x200000 -DREPEAT=80 $options >gcc 2>&1 || { cat gcc; return 1; }
		DEAF=$deaf LD_PRELOAD=$tmp/deaf.so timeout -k 5 60 "$V2E" run only --virtio-disk disk --snapshot --exit-port 0xf4 \
			--serial file:serial --virtio-notify ioeventfd --stats "$@" >out 2>&1
		ends $?
	}
	"${CC:-cc}" -shared -fPIC -o deaf.so "$V2E_SRC/tests/hv/deaf.c" -ldl || exit 1
	check "at the end of a request nothing is left unanswered" only bell -DONLY=through_real_mode -- --engine hybrid --threshold 0
	check "all of it at once" grep -qx "done in real mode: 10" serial
	check "an interrupt of the other thread's comes without a timer" only timer -DINTERRUPTS -DONLY=by_interrupt -- --engine hybrid --threshold 0
else
	skip "KVM without ioeventfd" "nothing can be preloaded here"
fi
finish
