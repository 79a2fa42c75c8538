#!/bin/sh
# Two engines in step: the same where they are, found where they are not.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need /usr/share/seabios/bios.bin seabios
need nasm nasm
assemble hello && image hello 1440K || exit 1

# compare STATUS A,B ARGUMENTS...
compare()
{
	wanted=$1 engines=$2
	shift 2
	"$V2E" run --compare "$engines" "$@" >out 2>err
	status=$?
	cat out err
	[ $status -eq "$wanted" ] || { echo "exit status $status, not $wanted"; return 1; }
}

until_text() { compare 0 "$1" --do 'wait-text "No bootable device" 60s' --do quit; }

check "the emulator is like itself" until_text emu,emu
check "that took thousands of stops" grep -qE ': [0-9]{4,} stops, [0-9]{4,} port accesses' out
for channel in futex eventfd process; do
	check "with the channel $channel as well" until_text emu,emu:channel=$channel
done
check "with the JIT as well" until_text emu:jit=off,emu:jit=always
check "a floppy, up to a timeout" compare 0 emu,emu --floppy "$payloads/hello-1440K.img" --timeout 1s
check "commands that fail" compare 1 emu,emu --do 'wait-text nonsense 500ms'
check "say so" grep -q "both did not do what the commands wait for" err

printf '\372\364\353\375' >halt.bin # cli; hlt
check "commands that a guest which has halted never meets" compare 1 emu,emu halt.bin --do 'wait-text never 60s'
check "say why" grep -q "wait-text never 60s: the guest has come to an end" err
check "a status that the commands give" compare 0 emu,emu --do 'quit 7'

for insns in 1000000 1234567 3000001; do
	check "a bit that flips behind $insns instructions" compare 1 emu,emu:flip=$insns --timeout 5s
	check "is EBX" grep -qE '^rbx [0-9a-f]+ [0-9a-f]+' err
	check "and found within 1,000 instructions" awk -v n=$insns \
		'/^emu:flip=/ { for (i = 2; i <= NF; i++) if ($i ~ /^instructions/) found = $(i - 1) }
		END { print found; exit !(found >= n && found < n + 1100) }' err
done
check "another machine is another" compare 1 emu,emu:cpu=486 --timeout 5s
check "another setting too" compare 1 emu,emu:boot=floppy --timeout 5s
check "and this is seen at a port" grep -qE 'differ: port access [0-9]+ is ' err

bad() { compare 2 "$2" --timeout 1s && [ "$(wc -l <err)" -eq 1 ] && grep -qF "$1" err; }
check "one engine" bad "two engines" emu
check "an unknown engine" bad "unknown engine" emu,fast
check "an unknown option" bad "unknown option" emu,emu:fast=1
check "a mistake in another process" bad "flip" emu,emu:channel=process:flip=5

if "$V2E" run --engine kvm --do quit >out 2>err; then
	# One that interprets can miss the moment between STI and CLI again and again, until
	# the firmware has waited long enough; real ones are compared in tests/nested.
	if "$V2E" probe --json | grep -q '"real": { "runs": "native"'; then
		check "KVM is like the emulator" until_text kvm,emu
		check "for thousands of port accesses" grep -qE ': [0-9]{4,} stops, [0-9]{4,} port accesses, [1-9][0-9]* interrupts' out
	else
		skip "KVM is like the emulator" "KVM of this host interprets real mode, and takes interrupts when it likes"
	fi
	check "so is the hybrid" until_text hybrid:threshold=0,emu
	check "at hundreds of hand-overs as well" grep -qE ' [0-9]{3,} hand-overs' out
	check "a bit that flips in the emulator" compare 1 emu:flip=200000,hybrid --timeout 5s
	check "is found, and the hand-overs before it shown" grep -q '^the last transitions:' err
else
	skip "KVM and the emulator" "$(head -n 1 err)"
fi
finish
