#!/bin/sh
# The KVM engine on a real kvm_amd and kvm_intel, in emulated machines. Arguments
# name the modes of machine.sh; all by default. V2E_BUILD holds objects of a build;
# v2e and the test program are linked statically from it.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/nested/lib.sh"
firmware=/usr/share/seabios
[ $# -gt 0 ] || set -- amd intel intel-nourg intel-noept

need_v2e
static_link "$tmp/stops" "$nested/stops.c" || exit 1
static_link "$tmp/handover" "$V2E_SRC/tests/hv/handover.c" || exit 1
static_link "$tmp/debugger" "$nested/debugger.c" || exit 1
if ! have nasm || [ ! -r $firmware/bios.bin ]; then
	skip "nested KVM" "no nasm or no SeaBIOS (Debian: apt install nasm seabios)"
	finish
fi
for floppy in boot/hello boot/shutdown nested/switch nested/long; do
	image=$tmp/$(basename $floppy)
	nasm -f bin -o "$image" "$V2E_SRC/tests/$floppy.asm" && truncate -s 1440K "$image" || exit 1
done

V2E_SRC=$V2E_SRC "$V2E_SRC/tests/cli/make-calls.sh" "$tmp/calls" || exit 1
grep -v '^#' "$V2E_SRC/tests/guest/table" >"$tmp/table"
while read -r name rest; do
	nasm -f bin -w-all -I "$V2E_SRC/tests/guest/" -o "$tmp/$name" "$V2E_SRC/tests/guest/$name.asm" || exit 1
done <"$tmp/table"
nasm -f bin -w-all -DSTAY -I "$V2E_SRC/tests/guest/" -o "$tmp/stay" "$V2E_SRC/tests/guest/smi.asm" || exit 1

# The guest that notifies a virtio disk, see its source.
"$V2E_SRC/tests/guest/make-kernel.sh" "$tmp/virtio" FROM=virtio LOAD_AT=0x200000 -DINTERRUPTS -DREPEAT=80 || exit 1
n=0
while [ $n -lt 64 ]; do
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $n)"
	head -c 511 /dev/zero
	n=$((n + 1))
done >"$tmp/disk"

# add STATUS NAME WORDS...: one more command for the next machine, and how it ends.
add()
{
	printf '%s %s\n' "$1" "$mode: $2" >>"$tmp/$mode/names"
	shift 2
	printf '%s' "$1" >>"$tmp/$mode/commands"
	shift
	for word; do
		printf '\t%s' "$word" >>"$tmp/$mode/commands"
	done
	echo >>"$tmp/$mode/commands"
}

# boot NAME OPTIONS...: to a boot sector that says hello.
boot()
{
	name=$1
	shift
	add 0 "$name" /v2e run --bios /bios.bin --vgabios /vgabios.bin --floppy /hello --snapshot --stats --timeout 120s \
		"$@" --do 'wait-text "Hello from drive 00h" 100s' --do quit
}

# resume NAME FILE OPTIONS...: a saved machine, to the same end.
resume()
{
	name=$1 file=$2
	shift 2
	add 0 "$name" /v2e run --restore "$file" --stats --timeout 120s "$@" --do 'wait-text "Hello from drive 00h" 100s' --do quit
}

# saved NAME FILE OPTIONS...: on the way there.
saved()
{
	name=$1 file=$2
	shift 2
	add 0 "$name" /v2e run --stats --timeout 120s "$@" --do 'wait-text SeaBIOS 100s' --do "save $file" --do quit
}

# switch NAME OPTIONS...: 10,000 times, with an interrupt in each mode. 85 is the guest's
# word for good; 1 would be --timeout's, too.
switch()
{
	name=$1
	shift
	add 85 "$name" /v2e run --bios /bios.bin --vgabios /vgabios.bin --floppy /switch --snapshot --stats --timeout 300s \
		--exit-port 0xf4 "$@"
}

# long NAME OPTIONS...: to 64-bit mode and back; status 85.
long()
{
	name=$1
	shift
	add 85 "$name" /v2e run --bios /bios.bin --vgabios /vgabios.bin --floppy /long --snapshot --timeout 120s \
		--exit-port 0xf4 "$@"
}

# compare A,B: in step to the same boot sector.
compare()
{
	add 0 "$1 in step" /v2e run --compare "$1" --bios /bios.bin --vgabios /vgabios.bin --floppy /hello --timeout 120s \
		--do 'wait-text "Hello from drive 00h" 100s' --do quit
}

# guest NAME LEFT ENTERED RESETS OPTIONS...: one of tests/guest. How often KVM leaves
# and is given protected mode is noted for count().
guest()
{
	which=$1 out_of=$2 into=$3 boots=$4
	shift 4
	[ "$which" != nmi ] || for letter in a b c d e f; do
		set -- "$@" --do "wait-serial $letter" --do nmi
	done
	[ "$which" != nmi ] || set -- "$@" --do 'sleep 1m'
	add 85 "guest $which, $*" /v2e run --bios "/$which" --vgabios /vgabios.bin --exit-port 0xf4 --stats --timeout 60s "$@"
	number=$(wc -l <"$tmp/$mode/names")
	echo "$number $which resets $boots" >>"$tmp/$mode/counts"
	[ "$out_of" != - ] || return 0
	echo "$number $which transition-pe-cleared $out_of" >>"$tmp/$mode/counts"
	echo "$number $which transition-real-left $into" >>"$tmp/$mode/counts"
}

# remaps INVALIDATED FORGOTTEN: with blocks enough in the emulator that it does half of what
# the guest does. What is invalidated there costs a flush; without EPT, KVM's copies go.
remaps()
{
	guest remap - - 0 --engine hybrid
	echo "$number remap kvm.tlb_flushes $1" >>"$tmp/$mode/counts"
	echo "$number remap kvm.shadow_flushes $2" >>"$tmp/$mode/counts"
}

# guests: all of them with kvm_amd, a few where the machine is slow.
guests()
{
	while read -r name crossings resets left entered; do
		case $mode-$name in
		# QEMU checks no limits, so its real mode has a vector table of any size.
		amd-triple16) ;;
		# Breakpoints in a guest of QEMU's SVM (7.2): VMRUN and #VMEXIT set DR7 without
		# cpu_x86_update_dr7(), so one that another mode has set is not there, which is what
		# this guest is about, and one that it sets itself stays behind. QEMU dies of one that
		# is met where CS has a base: execution stops at CS.base + EIP, breakpoint_handler()
		# looks for EIP, and what it does not find goes to gdb_set_stop_cpu() of a gdb that is
		# not there. A base of 0 would only help against that.
		amd-debug) ;;
		# QEMU's walk of nested tables marks what KVM then refuses: see payloads.sh.
		amd-pae) ;;
		# KVM's save map is another for a processor with long mode, which is the default.
		amd-smi | intel-smi | intel-nourg-smi)
			guest $name - - $resets --engine kvm
			guest $name - - $resets --engine kvm --cpu p6
			[ $mode != amd ] || guest $name $left $entered $resets --engine hybrid --threshold 0 ;;
		amd-*)
			guest $name - - $resets --engine kvm
			guest $name $left $entered $resets --engine hybrid --threshold 0 ;;
		# Not stepped guests without unrestricted guest, where KVM runs them: where one
		# exits under TF (a page fault of the host's, MOV CR0), Bochs saves BS as a pending
		# debug exception, which a CPU clears then (SDM vol. 3, 28.3.4), and so the next
		# entry traps once more. With it such steps are the emulator's.
		intel-debug | intel-step | intel*-pe | intel*-cpuid | intel*-paging | intel*-pae | intel*-shadow | intel*-vm86 | intel*-fpu)
			guest $name $left $entered $resets --engine hybrid --threshold 0 ;;
		intel-noept-remap)
			remaps 0 11 ;;
		intel*-remap)
			remaps 6 0 ;;
		esac
		[ $mode-$name != amd-remap ] || remaps 6 0
	done <"$tmp/table"
}

# said NUMBER: what the machine said while it ran this command.
said() { sed -n "/^nested: $(($1 - 1)) /,/^nested: $1 /p" "$tmp/$mode/out"; }

# counted NUMBER KEY VALUE
counted()
{
	value=$(said "$1" | sed -n "s/^$2 //p")
	echo "$2: ${value:-0}, expected: $3"
	# An interrupt under delivery may go to the emulator and come back.
	if [ "$2" = transition-real-left ]; then
		[ "${value:-0}" -ge "$3" ]
	else
		[ "${value:-0}" = "$3" ]
	fi
}

# notify COUNT NAME OPTIONS...: 42 at the exit port is the guest's word for good. So many
# doorbells at least.
notify()
{
	rings=$1 name=$2
	shift 2
	add 85 "notifications, $name" /v2e run /virtio --virtio-disk /disk --snapshot --bios /bios.bin --vgabios /vgabios.bin --exit-port 0xf4 \
		--serial stdio --stats --timeout 100s "$@"
	echo "$(wc -l <"$tmp/$mode/names") $rings $name" >>"$tmp/$mode/rings"
}

# at_once NUMBER: nothing was left over where the emulator took the guest from KVM.
at_once()
{
	said "$1" | grep 'done in real mode'
	[ "$(said "$1" | tr -d '\r' | grep -c 'done in real mode: 10$')" = 2 ]
}

# rung NUMBER COUNT: none, where COUNT is 0
rung()
{
	value=$(said "$1" | sed -n 's/^kvm.doorbells //p')
	echo "doorbells: ${value:-none}, expected: $2"
	if [ "$2" = 0 ]; then
		[ "${value:-1}" = 0 ]
	else
		[ "${value:-0}" -ge "$2" ]
	fi
}

# smm: saved in an SMI's handler, and on from there. The serial port makes it say so.
smm()
{
	add 0 "KVM alone, saved in SMM" /v2e run --bios /stay --vgabios /vgabios.bin --exit-port 0xf4 --timeout 60s --engine kvm \
		--do 'wait-serial S' --do 'save /smm.state' --do quit
	add 85 "and on under KVM alone" /v2e run --restore /smm.state --timeout 60s --engine kvm --do 'keys a' --do 'sleep 1m'
	for engine in emu hybrid; do
		add 2 "which $engine cannot" /v2e run --restore /smm.state --timeout 60s --engine $engine --do quit
	done
	add 0 "the emulator, saved in SMM" /v2e run --bios /stay --vgabios /vgabios.bin --exit-port 0xf4 --timeout 60s --engine emu \
		--do 'wait-serial S' --do 'save /emu-smm.state' --do quit
	add 2 "from where KVM alone cannot go on" /v2e run --restore /emu-smm.state --timeout 60s --engine kvm --do quit
	add 85 "but hybrid can" /v2e run --restore /emu-smm.state --timeout 60s --engine hybrid --do 'keys a' --do 'sleep 1m'
}

# calls NAME STATUS: --trace int of each kind of call, with KVM alone.
calls()
{
	add "$2" "$1" /v2e trace --engine kvm --trace int --bios /calls --vgabios /vgabios.bin --exit-port 0xf4 --timeout 120s
	traced=$(wc -l <"$tmp/$mode/names")
}

# The machine has one terminal, on which progress is shown as well.
traces_calls()
{
	said "$traced" | sed -n 's/.*\x1b\[K//; s/^ *[0-9]*\.[0-9]* int/int/p' | diff "$V2E_SRC/tests/cli/calls_all.expected" -
}

# judge: counts what the machine said.
judge()
{
	number=0
	while read -r wanted name; do
		number=$((number + 1))
		status=$(sed -n "s/^nested: $number \\([0-9]*\\)\$/\\1/p" "$tmp/$mode/out")
		if [ "${status:-none}" = "$wanted" ]; then
			pass "$name"
		else
			fail "$name (exit status ${status:-none}, not $wanted)"
			said $number | sed 's/^/	/'
		fi
	done <"$tmp/$mode/names"
	while read -r number name key value; do
		check "$mode: guest $name: $key $value" counted $number $key $value
	done <"$tmp/$mode/counts"
	while read -r number value name; do
		check "$mode: $name: $value doorbells" rung "$number" "$value"
		case $name in
		hybrid*) check "$mode: $name: each where it was made" at_once "$number" ;;
		esac
	done <"$tmp/$mode/rings"
}

# at_least COUNT NAME VALUE: so many of the machine's lines "NAME N" have N >= VALUE.
at_least()
{
	awk -v count="$1" -v name="$2" -v value="$3" '
		$1 == name { shown = shown " " $2; if ($2 >= value) found++ }
		END { if (found < count) { print name ":" shown; exit 1 } }' "$tmp/$mode/out"
}

for mode; do
	mkdir -p "$tmp/$mode"
	cat >"$tmp/$mode/files" <<-END
		v2e=$tmp/v2e
		stops=$tmp/stops
		handover=$tmp/handover
		debugger=$tmp/debugger
		stay=$tmp/stay
		hello=$tmp/hello
		switch=$tmp/switch
		shutdown=$tmp/shutdown
		long=$tmp/long
		calls=$tmp/calls
		virtio=$tmp/virtio
		disk=$tmp/disk
		bios.bin=$firmware/bios.bin
		vgabios.bin=$firmware/vgabios-stdvga.bin
	END
	cut -f 1 "$tmp/table" | sed "s,.*,&=$tmp/&," >>"$tmp/$mode/files"
	add 0 "v2e probe" /v2e probe --json
	add 0 "1000 exact stops in each mode, by tracepoint" /stops trace 1000 1
	add 0 "1000 exact stops in each mode, by breakpoint" /stops breakpoint 1000 1
	add 0 "stops of an engine that only looks" /stops lazy 100 0
	add 0 "what a hand-over costs, and what stays in the vCPU" /handover 200
	boot "SeaBIOS to a boot sector, hybrid" --engine hybrid
	boot "SeaBIOS to a boot sector, as auto chooses" --engine auto
	long "64-bit mode and back, twice, hybrid" --engine hybrid
	guests
	: >"$tmp/$mode/rings"
	# In Bochs (2.7 and later) nobody else gets the processor while a guest polls with IF
	# clear. What lets external interrupts exit then, handleInterruptMaskChange(), is only
	# called where IF changes; at VM entry it does not, as the host has cleared its own, and
	# in_vmx_guest is not set yet. So the interrupts that the host masked stay masked, and
	# the thread that answers doorbells, woken or not, waits for a timer that never comes.
	if [ "$mode" = amd ]; then
		notify 200 "hybrid by ioeventfd" --engine hybrid --threshold 0 --virtio-notify ioeventfd
		notify 200 "KVM alone by ioeventfd" --engine kvm --virtio-notify ioeventfd
		notify 0 "hybrid by the bus" --engine hybrid --virtio-notify bus
		notify 0 "KVM alone, as auto says" --engine kvm
	fi
	# What QEMU's SVM lacks is said; the slower modes of Bochs add nothing.
	case $mode in
	amd)
		calls "KVM alone cannot trace on an SVM without breakpoints" 2
		add 2 "nor be debugged" /debugger ;;
	intel)
		calls "KVM alone traces calls" 85
		add 0 "what a debugger asks of KVM alone" /debugger ;;
	*)
		add 0 "what a debugger asks of KVM alone" /debugger ;;
	esac
	if [ "$mode" = amd ]; then
		compare emu,hybrid:threshold=0
		compare emu,kvm
		boot "hybrid by breakpoint" --engine hybrid --watch breakpoint
		boot "hybrid, looking only" --engine hybrid --watch lazy
		boot "hybrid with threshold 0" --engine hybrid --threshold 0
		boot "hybrid that never leaves the emulator" --engine hybrid --threshold inf
		boot "KVM alone" --engine kvm
		long "64-bit mode and back, twice, KVM alone" --engine kvm
		switch "10,000 switches with interrupts, hybrid" --engine hybrid --threshold 0
		switch "10,000 switches with interrupts, by breakpoint" --engine hybrid --threshold 0 --watch breakpoint
		switch "10,000 switches with interrupts, KVM alone" --engine kvm
		for engine in hybrid kvm; do
			add 85 "a shutdown byte in CMOS, $engine" /v2e run --bios /bios.bin --vgabios /vgabios.bin --floppy /shutdown \
				--snapshot --exit-port 0xf4 --timeout 60s --engine $engine
		done
		saved "saved under the emulator" /emu.state --engine emu --bios /bios.bin --vgabios /vgabios.bin --floppy /hello --snapshot
		saved "restored and saved under hybrid" /hybrid.state --restore /emu.state --engine hybrid
		resume "from the emulator to hybrid" /emu.state --engine hybrid
		resume "from the emulator to KVM alone" /emu.state --engine kvm
		resume "from hybrid to the emulator" /hybrid.state --engine emu
		smm
		for channel in futex eventfd process; do
			boot "hybrid by channel $channel" --engine hybrid --channel $channel
		done
	fi
	"$nested/machine.sh" "$mode" "$tmp/$mode" >"$tmp/$mode/out" 2>&1
	ended=$?
	if [ $ended -eq 77 ]; then
		skip "nested $mode" "$(tail -n 1 "$tmp/$mode/out")"
		continue
	fi
	judge
	[ "$mode" != intel ] || check "$mode: each call that KVM alone traced" traces_calls
	check "$mode: KVM had its part of it, and auto chose it" at_least 2 handover-from-kvm-mode 1
	# The firmware adds some of its own, more the slower the host is.
	[ "$mode" != amd ] || check "$mode: 10,000 switches were 10,000 hand-overs" at_least 2 handover-from-kvm-mode 10000
	[ "$mode" != amd ] || check "$mode: with an interrupt each" at_least 3 kvm.interrupts 10000
	[ $ended -eq 0 ] || { fail "$mode: the machine ends by itself"; tail -n 20 "$tmp/$mode/out"; }
	[ -z "${V2E_KEEP:-}" ] || cp "$tmp/$mode/out" "$V2E_KEEP/nested-$mode.out"
done
finish
