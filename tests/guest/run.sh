#!/bin/sh
# Small guests for each way between the modes, on every engine that this host has.
# They check themselves; what they are and what they do is in tests/guest/*.asm.
. "${V2E_SRC:-.}/tests/lib.sh"
guest=$V2E_SRC/tests/guest
cd "$tmp" || exit 1
if ! have nasm; then
	skip "guests" "no nasm (Debian: apt install nasm)"
	finish
fi
grep -v '^#' "$guest/table" >table
names=$(cut -f 1 table)
printf 'wait-serial %s\nnmi\n' a b c d e f >nmi.script
echo 'sleep 1m' >>nmi.script
for name in $names; do
	nasm -f bin -w-all -I "$guest/" -o "$name" "$guest/$name.asm" || { fail "$name.asm assembles"; finish; }
done

# passes NAME ARGUMENTS...: output in out. Status 85 is the guest's word for good.
passes()
{
	name=$1
	shift
	rm -f serial
	[ "$name" != nmi ] || set -- --script nmi.script "$@"
	"$V2E" run --bios "$name" --exit-port 0xf4 --serial file:serial --timeout 20s --stats "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq 85 ] && grep -q "^$name: passed" serial && return
	echo "exit status $status, which is check $((status / 2)) of $name.asm if it is odd"
	return 1
}
# column NAME NUMBER: of the table
column() { awk -v name="$1" -v n="$2" '$1 == name { print $n }' table; }
# counted KEY NUMBER: the line of --stats; no line is 0
counted()
{
	number=$(sed -n "s/^$1 //p" out)
	echo "$1: ${number:-0}, expected: $2"
	[ "${number:-0}" = "$2" ]
}

on_emulator()
{
	passes "$1" --engine emu --clock virtual --trace switch --jit "$2" || return
	crossings=$(grep -c '^mode ' out)
	echo "crossings: $crossings"
	[ "$crossings" -eq "$(column "$1" 2)" ] && counted resets "$(column "$1" 3)"
}

# What KVM itself interprets it may refuse at any place, and then nothing can be said
# about how often it had the guest.
refused() { grep -qE '^(kvm.runs 0$|(kvm.failed_[a-z]*|kvm.interrupts_left) [1-9])' out; }
# on_hybrid NAME THRESHOLD ARGUMENTS...
on_hybrid()
{
	which=$1 threshold=$2
	shift 2
	passes "$which" --engine hybrid --threshold "$threshold" "$@" || return
	set -- "$which"
	counted resets "$(column "$1" 3)" || return
	case $threshold in
	inf)
		counted transitions 0 ;;
	0)
		# A breakpoint stops before the MOV: then it is the emulator that leaves.
		[ "$(column "$1" 4)" = - ] || refused || ! grep -q '^kvm.watch trace' out ||
			{ counted transition-pe-cleared "$(column "$1" 4)" && counted transition-real-left "$(column "$1" 5)"; } ;;
	esac
}

refuses_smi()
{
	"$V2E" run --bios smi --exit-port 0xf4 --timeout 20s --engine kvm >out 2>&1
	status=$?
	cat out
	[ $status -eq 2 ] && grep -q 'error: a system management interrupt, which the KVM of this host does not take: it lacks KVM_CAP_.*; give --engine hybrid' out
}

# stays ENGINE: saved in the handler of an SMI.
stays()
{
	"$V2E" run --bios stay --exit-port 0xf4 --serial file:serial --timeout 20s --engine "$1" \
		--do 'wait-serial S' --do 'save smm.state' --do quit >out 2>&1
	status=$?
	cat out
	[ $status -eq 0 ]
}
# goes_on STATUS 'TEXT' ENGINE: from there; the guest is told to by a key.
goes_on()
{
	"$V2E" run --restore smm.state --serial stdio --timeout 20s --engine "$3" --do 'keys a' --do 'sleep 1m' >out 2>&1
	status=$?
	cat out
	[ $status -eq "$1" ] && grep -qF -e "$2" out
}

for name in $names; do
	for jit in off on always; do
		check "$name: emulator, --jit $jit" on_emulator "$name" $jit
	done
done
nasm -f bin -w-all -DSTAY -I "$guest/" -o stay "$guest/smi.asm" || { fail "smi.asm assembles with STAY"; finish; }
check "saved in SMM: emulator" stays emu
check "restored in SMM: emulator" goes_on 85 "smi: passed" emu
if ! "$V2E" run --engine hybrid --do quit >out 2>&1; then
	skip "guests under KVM" "$(head -n 1 out)"
	finish
fi
"$V2E" probe --json >probe
check "restored in SMM: hybrid" goes_on 85 "smi: passed" hybrid
check "restored in SMM: KVM cannot" goes_on 2 "KVM cannot return from it; give --engine emu or hybrid" kvm
smi=false
grep -q '"smi": true' probe && smi=true
if $smi; then
	check "saved in SMM: KVM" stays kvm
	check "restored in SMM of KVM's: KVM" goes_on 85 "smi: passed" kvm
	check "restored in SMM of KVM's: the emulator cannot" goes_on 2 "the emulator cannot return from it; give --engine kvm" emu
	check "restored in SMM of KVM's: hybrid cannot" goes_on 2 "the emulator cannot return from it; give --engine kvm" hybrid
fi
native=false
grep -q '"pm32": { "runs": "native"' probe && native=true
# Where only an exit shows the boundary, KVM keeps the guest at a threshold of 1, too.
steps_in_kvm="0 1"
! grep -q '"trace": { "usable": true' probe || steps_in_kvm=0
for name in $names; do
	for threshold in 0 1 1000 inf; do
		# Seen one instruction late is too late for what this one checks.
		if [ "$name" = shadow ] && ! $native && [ $threshold != inf ] && [ $threshold != 1000 ]; then
			skip "$name: hybrid, threshold $threshold" "KVM of this host interprets, and shows the boundary late"
		elif [ "$name" = cpuid ] && ! $native && [ $threshold != inf ]; then
			skip "$name: hybrid, threshold $threshold" "KVM of this host interprets, and shows features that it was not told to"
		elif [ "$name" = debug ] && ! $native && expr " $steps_in_kvm " : ".* $threshold " >/dev/null; then
			skip "$name: hybrid, threshold $threshold" "KVM of this host interprets, and does not deliver a guest's single step as it should"
		else
			check "$name: hybrid, threshold $threshold" on_hybrid "$name" $threshold
		fi
	done
	# Whoever it is that holds the translated code, and however it is made.
	[ "$name" != patch ] || for channel in inline futex eventfd process; do
		for jit in off on always; do
			check "$name: hybrid, --channel $channel --jit $jit" on_hybrid "$name" 0 --channel $channel --jit $jit
		done
	done
	if [ "$name" = smi ] && ! $smi; then
		check "$name: KVM alone says that it takes none" refuses_smi
		skip "$name: KVM alone" "KVM of this host takes no SMI: it lacks $(sed -n 's/.*"smi_missing": "\(.*\)",/\1/p' probe)"
	elif { [ "$name" = paging ] || [ "$name" = pae ] || [ "$name" = remap ]; } && grep -q '"pm32-paged": { "runs": "refused"' probe; then
		skip "$name: KVM alone" "KVM of this host does not do paging of 32 bits"
	elif passes "$name" --engine kvm >kvm; then
		check "$name: KVM alone" counted resets "$(column "$name" 3)"
	elif ! $native && grep -q 'error: KVM ' kvm; then
		skip "$name: KVM alone" "KVM of this host interprets, and not all: $(grep -m 1 'error: KVM ' kvm)"
	elif [ "$name" = triple16 ] && ! $native; then
		skip "$name: KVM alone" "KVM of this host interprets, and does not look at the limit of real mode's vectors"
	elif [ "$name" = window ] && grep -q '"windows": false' probe; then
		skip "$name: KVM alone" "KVM of this host interprets, and misses interrupts: $(sed -n 's/ *"windows_remedy": //p' probe)"
	else
		check "$name: KVM alone" passes "$name" --engine kvm
	fi
done
finish
