#!/bin/sh
# Tiny guests for what user mode cannot run, on the emulator and on QEMU.
. "${V2E_SRC:-.}/tests/lib.sh"
if ! have nasm; then
	skip "guests on the emulator and on QEMU" "no nasm (Debian: apt install nasm)"
	finish
fi
nasm -f bin -o "$tmp/guest" "$V2E_SRC/tests/diff/guest.asm" || { fail "guest.asm assembles"; finish; }
"$V2E_BUILD/tests/diff/guests" "$@" "$tmp/guest"
