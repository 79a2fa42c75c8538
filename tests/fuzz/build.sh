#!/bin/sh
# Builds the fuzzers in V2E_BUILD/fuzz with ASan and UBSan; arguments name those of
# interest. For libFuzzer (clang) by their names, and for AFL++ as afl-NAME where
# afl-clang-fast is installed (Debian: apt install afl++). Half an hour of each:
#
#	ASAN_OPTIONS=detect_leaks=0 fuzz/block -max_total_time=1800 KEPT tests/fuzz/corpus/block
#
#	AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
#	afl-fuzz -V 1800 -m none -i tests/fuzz/corpus/block -o OUT fuzz/afl-block
#
# The leak checker does not see the pointers in the block cache's own pages. Inputs
# worth keeping belong to tests/fuzz/corpus, which each test run replays.
set -eu
V2E_SRC=$(cd "${V2E_SRC:-.}" && pwd)
out=${V2E_BUILD:-$V2E_SRC/build}/fuzz
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$V2E_SRC"
flags="-std=gnu11 -O1 -g -pthread -I. -DV2E_NATIVE -DV2E_VERSION=\"fuzz\" $(pkg-config --cflags glib-2.0 capstone libpng zlib)"
flags="$flags -fno-sanitize-recover=all"

# compile COMPILER SANITIZERS OUTPUT SOURCE...
compile()
{
	compiler=$1 sanitizers=$2 output=$3
	shift 3
	# shellcheck disable=SC2086,SC2046
	$compiler $flags "-fsanitize=$sanitizers" -o "$out/$output" "$@" \
		$(pkg-config --libs glib-2.0 capstone libpng zlib) -lm
	echo "built $out/$output"
}

# build TARGET SOURCE...
build()
{
	target=$1
	shift
	compile "${CLANG:-clang}" fuzzer,address,undefined "$target" "$@"
	! command -v afl-clang-fast >/dev/null ||
		AFL_USE_ASAN=1 AFL_USE_UBSAN=1 AFL_QUIET=1 compile afl-clang-fast fuzzer "afl-$target" "$@"
}

# The loaders' parsers; what puts a plan into a machine is not among them.
loaders=$(ls loader/*.c loader/*.S | grep -v -e boot_start.c -e firmware.c)
[ $# -gt 0 ] || set -- block page image linux multiboot multiboot2 elf state virtio
for name; do
	# shellcheck disable=SC2086
	case $name in
	block | page) build "$name" tests/fuzz/fuzz_$name.c tests/insn/machine.c shared/*.c emu/*.c ;;
	image) build image tests/fuzz/fuzz_image.c $loaders ;;
	linux) build linux -DV2E_FUZZ_KIND=KERNEL_LINUX tests/fuzz/fuzz_loader.c $loaders ;;
	multiboot) build multiboot -DV2E_FUZZ_KIND=KERNEL_MULTIBOOT tests/fuzz/fuzz_loader.c $loaders ;;
	multiboot2) build multiboot2 -DV2E_FUZZ_KIND=KERNEL_MULTIBOOT2 tests/fuzz/fuzz_loader.c $loaders ;;
	elf) build elf -DV2E_FUZZ_KIND=KERNEL_ELF tests/fuzz/fuzz_loader.c $loaders ;;
	virtio) build virtio tests/fuzz/fuzz_virtio.c devmodel/virt*.c devmodel/blk*.c devmodel/chardev*.c devmodel/network.c shared/*.c ;;
	# Without the libraries of displays and of the network, which no state reaches.
	state)
		build state -I"$out/.." tests/fuzz/fuzz_state.c $(ls cli/*.[cS] devmodel/*.c | grep -v -e cli/main.c -e display_sdl -e display_vnc) \
			$(ls loader/*.[cS]) $(ls hv/*.c | grep -v none.c) gdb/*.c trace/*.c shared/*.c emu/*.c ;;
	*) echo "$0: no target $name" >&2; exit 2 ;;
	esac
done
