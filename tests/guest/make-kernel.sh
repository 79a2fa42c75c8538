#!/bin/sh
# make-kernel.sh OUT [OPTION...]: builds the example kernel. Options: -DMULTIBOOT=1 or
# =2 for these headers, else it is for start_info; -DFLAT for a multiboot kernel that
# is no ELF file; LOAD_AT=ADDRESS; FROM=NAME for NAME.c and NAME_start.S. Needs gcc with -m32 and ld with elf_i386.
set -eu
if [ $# -lt 1 ]; then
	echo "usage: $0 OUT [-DMULTIBOOT=N] [-DFLAT] [LOAD_AT=ADDRESS] [FROM=NAME]" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
out=$1 load= flat= defines= from=kernel
shift
for option; do
	case $option in
	LOAD_AT=*) load=--defsym=$option ;;
	FROM=*) from=${option#FROM=} ;;
	-DFLAT) flat=1 defines="$defines $option" ;;
	-D*) defines="$defines $option" ;;
	*) echo "$0: unknown option $option" >&2; exit 2 ;;
	esac
done
work=$(mktemp -d "${TMPDIR:-/tmp}/v2e-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
flags="-m32 -march=i386 -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -mno-sse -Os -Wall -Wextra"
# shellcheck disable=SC2086
${CC:-gcc} $flags $defines -I"$here/../.." -c -o "$work/kernel.o" "$here/$from.c"
# shellcheck disable=SC2086
${CC:-gcc} $flags $defines -c -o "$work/start.o" "$here/${from}_start.S"
${LD:-ld} -m elf_i386 -nostdlib --no-warn-rwx-segments -z max-page-size=4096 $load -T "$here/kernel.ld" -o "$work/kernel" "$work/start.o" "$work/kernel.o"
if [ -n "$flat" ]; then
	${OBJCOPY:-objcopy} -O binary "$work/kernel" "$out"
else
	cp "$work/kernel" "$out"
fi
