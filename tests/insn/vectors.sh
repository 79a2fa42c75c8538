#!/bin/sh
# Runs the tests recorded from real chips, where the program could be built.
. "${V2E_SRC:-.}/tests/lib.sh"
[ -x "$V2E_BUILD/tests/insn/vectors" ] && exec "$V2E_BUILD/tests/insn/vectors" "$@"
skip "recorded chips" "json-glib or zlib is missing (Debian: apt install libjson-glib-dev zlib1g-dev)"
finish
