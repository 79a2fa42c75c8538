#!/bin/sh
# What --trace shows is the same whichever engine runs the guest: each kind of call that
# trace/bios_calls.def knows, with what came of it; instructions, blocks, memory, modes.
. "${V2E_SRC:-.}/tests/lib.sh"
here=$V2E_SRC/tests/cli
cd "$tmp" || exit 1
if ! have nasm; then
	skip "everything" "no nasm (Debian: apt install nasm)"
	finish
fi

export V2E_SRC
"$here/make-calls.sh" calls.bin || exit 1

# trace FILE GUEST ENGINE WHAT: without times; 85 is the guest's word for good. What the
# host decides about is left out: how often a guest polls its serial port.
trace()
{
	"$V2E" trace --engine "$3" --trace "$4" --bios "$2" --exit-port 0xf4 --timeout 100s -o "$1.full" >out 2>&1 </dev/null
	status=$?
	[ $status -eq 85 ] || { cat out; echo "status $status"; return 1; }
	sed 's/^ *[0-9]*\.[0-9]* //; /^engine /d; s/ after [0-9]* blocks$//' "$1.full" >"$1"
}

calls()
{
	trace int.$1 calls.bin "$1" int && diff "$here/calls_all.expected" int.$1
}

# like_emu GUEST ENGINE WHAT
like_emu()
{
	trace emu "$1" emu "$3" && trace other "$1" "$2" "$3" && [ "$(wc -l <emu)" -ge 2 ] && diff emu other
}

# The order of instructions, each once where it stands several times in a row, up to
# where the guest looks at the serial port.
order() { sed '/^block /d; s/ ax=.*//; s/ *$//; /in al, dx/q' "$1" | uniq; }
like_emu_in_order()
{
	trace emu calls.bin emu insn && trace other calls.bin "$1" insn,block || return
	order emu >emu.order
	order other >other.order
	[ "$(wc -l <emu.order)" -gt 10000 ] && diff emu.order other.order | head -n 20
	cmp emu.order other.order
}

# Each block begins where an instruction does that one before did not lead on to, and
# has as many as there are up to the next block.
blocks_hold()
{
	awk '/^block / { if (insns != "" && count != insns) { print "line " NR ": " count " instructions, not " insns; exit 1 }
			insns = $5; count = 0; blocks++; next }
		{ count++; if (count > insns) { print "line " NR ": no block"; exit 1 } }
		/in al, dx/ { exit }
		END { if (blocks < 1000) { print blocks + 0 " blocks"; exit 1 } }' other
}

check "all calls on the emulator" calls emu
"$V2E" run --engine kvm --bios calls.bin --exit-port 0xf4 --timeout 60s >out 2>&1 </dev/null
if [ $? -eq 2 ]; then
	skip "KVM alone and hybrid" "$(head -n 1 out)"
	finish
fi
check "all calls on the hybrid" calls hybrid
if "$V2E" trace --engine kvm --trace insn --bios calls.bin --exit-port 0xf4 2>&1 </dev/null | grep -q 'has no breakpoints'; then
	skip "KVM alone" "it is on an emulated SVM, which has no breakpoints"
	finish
fi
check "all calls on KVM alone" calls kvm
for engine in hybrid kvm; do
	check "memory: $engine" like_emu calls.bin $engine mem:30000+800
	check "memory that the stack and strings go through: $engine" like_emu calls.bin $engine mem:10000+ff,mem:31000+800
done
check "modes: KVM alone" like_emu calls.bin kvm switch
check "instructions: KVM alone" like_emu_in_order kvm
check "blocks: KVM alone" blocks_hold
finish
