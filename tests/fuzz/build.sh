#!/bin/sh
# Builds the libFuzzer programs fuzz/block and fuzz/page in V2E_BUILD with clang,
# ASan and UBSan. To run one for half an hour:
#
#	ASAN_OPTIONS=detect_leaks=0 fuzz/block -max_total_time=1800 KEPT tests/fuzz/corpus/block
#
# The leak checker does not see the pointers in the block cache's own pages.
set -eu
V2E_SRC=$(cd "${V2E_SRC:-.}" && pwd)
out=${V2E_BUILD:-$V2E_SRC/build}/fuzz
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$V2E_SRC"
flags="-std=gnu11 -O1 -g -pthread -I. $(pkg-config --cflags glib-2.0 capstone)"
flags="$flags -fno-sanitize-recover=all"
for target in block page; do
	# shellcheck disable=SC2086,SC2046
	${CLANG:-clang} $flags -fsanitize=fuzzer,address,undefined -o "$out/$target" \
		tests/fuzz/fuzz_$target.c tests/insn/machine.c shared/*.c emu/*.c \
		$(pkg-config --libs glib-2.0 capstone) -lm
done
echo "built $out/block and $out/page"
