#!/bin/sh
# Each row of emu/ops.def is executed by some vector or oracle case.
. "${V2E_SRC:-.}/tests/lib.sh"
V2E_OP_COVERAGE=$tmp/counts
export V2E_OP_COVERAGE V2E_SRC V2E_BUILD

# Rows that nothing decodes: the end of a block is no instruction.
internal="block_end"

untouched()
{
	sed -n 's/^OP(\([a-z0-9_]*\),.*/\1/p' "$V2E_SRC/emu/ops.def" | sort >"$tmp/rows"
	{ cut -d' ' -f1 "$tmp/counts"; echo "$internal"; } | sort -u >"$tmp/touched"
	comm -23 "$tmp/rows" "$tmp/touched" >"$tmp/missing"
	cat "$tmp/missing"
	[ -s "$tmp/rows" ] && [ ! -s "$tmp/missing" ]
}

[ -x "$V2E_BUILD/tests/insn/vectors" ] && "$V2E_BUILD/tests/insn/vectors" --limit 20 >"$tmp/log" 2>&1
"$V2E_BUILD/tests/insn/host" --cases 60000 >>"$tmp/log" 2>&1
if have nasm; then
	"$V2E_SRC/tests/diff/guests.sh" --no-qemu --cases 1500 >>"$tmp/log" 2>&1
	check "every row of ops.def is executed" untouched
else
	skip "every row of ops.def is executed" "no nasm (Debian: apt install nasm)"
fi
finish
