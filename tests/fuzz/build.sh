#!/bin/sh
# Builds the libFuzzer programs in V2E_BUILD/fuzz with clang, ASan and UBSan; arguments
# name those of interest. To run one for half an hour:
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

# build TARGET SOURCE...
build()
{
	target=$1
	shift
	# shellcheck disable=SC2086,SC2046
	${CLANG:-clang} $flags -fsanitize=fuzzer,address,undefined -o "$out/$target" "$@" \
		$(pkg-config --libs glib-2.0 capstone) -lm
	echo "built $out/$target"
}

# The loaders' parsers; what puts a plan into a machine is not among them.
loaders=$(ls loader/*.c loader/*.S | grep -v -e boot_start.c -e firmware.c)
[ $# -gt 0 ] || set -- block page image linux multiboot multiboot2 elf
for name; do
	# shellcheck disable=SC2086
	case $name in
	block | page) build "$name" tests/fuzz/fuzz_$name.c tests/insn/machine.c shared/*.c emu/*.c ;;
	image) build image tests/fuzz/fuzz_image.c $loaders ;;
	linux) build linux -DV2E_FUZZ_KIND=KERNEL_LINUX tests/fuzz/fuzz_loader.c $loaders ;;
	multiboot) build multiboot -DV2E_FUZZ_KIND=KERNEL_MULTIBOOT tests/fuzz/fuzz_loader.c $loaders ;;
	multiboot2) build multiboot2 -DV2E_FUZZ_KIND=KERNEL_MULTIBOOT2 tests/fuzz/fuzz_loader.c $loaders ;;
	elf) build elf -DV2E_FUZZ_KIND=KERNEL_ELF tests/fuzz/fuzz_loader.c $loaders ;;
	*) echo "$0: no target $name" >&2; exit 2 ;;
	esac
done
