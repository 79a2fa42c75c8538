#!/bin/sh
# The recorded chips and the host as oracles of compiled code: every block is
# compiled at its first run. Cases differ from those of the interpreter.
. "${V2E_SRC:-.}/tests/lib.sh"
ran() { "$@" || [ $? -eq 77 ]; }

if [ -x "$V2E_BUILD/tests/insn/vectors" ]; then
	check "recorded chips, compiled" ran "$V2E_BUILD/tests/insn/vectors" --jit always --limit "${V2E_VECTOR_LIMIT:-150}"
else
	skip "recorded chips, compiled" "json-glib or zlib is missing (Debian: apt install libjson-glib-dev zlib1g-dev)"
fi
check "the host's CPU, compiled" ran "$V2E_BUILD/tests/insn/host" --jit always --cases 100000 --seed 2
finish
