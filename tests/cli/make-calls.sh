#!/bin/sh
# make-calls.sh FILE: assembles calls_all.asm with a row for each row of
# trace/bios_calls.def. V2E_SRC is the top of the sources.
set -eu
work=$(mktemp -d "${TMPDIR:-/tmp}/v2e-calls.XXXXXX")
trap 'rm -rf "$work"' EXIT
sed -n 's/^CALL(\(0x..\), AX, \(0x....\),.*/ROW \1, \2/p
	s/^CALL(\(0x..\), AH, \(0x..\),.*/ROW \1, \2 << 8 | 0x41/p
	s/^CALL(\(0x..\), ANY,.*/ROW \1, 0x1234/p' "$V2E_SRC/trace/bios_calls.def" >"$work/table.inc"
nasm -f bin -w-all -I "$V2E_SRC/tests/guest/" -I "$work/" -o "$1" "$V2E_SRC/tests/cli/calls_all.asm"
