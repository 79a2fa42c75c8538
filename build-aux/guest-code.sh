#!/bin/sh
# guest-code.sh SOURCE OUTPUT: assembles code for the guest (x86, one section) by
# ${X86_PREFIX}as, and writes its bytes and its global names as source for the
# assembler of any host. $CC only expands the preprocessor's lines.
set -eu
source=$1 output=$2
work=$output.work
trap 'rm -rf "$work"' EXIT
rm -rf "$work"
mkdir -p "$work"

# shellcheck disable=SC2086
$CC $CPPFLAGS -E -x assembler-with-cpp "$source" >"$work/code.s"
"${X86_PREFIX}as" --32 -o "$work/code.o" "$work/code.s"
section=$("${X86_PREFIX}objdump" -h "$work/code.o" | awk '$2 ~ /^\.rodata/ { print $2 }')
if "${X86_PREFIX}objdump" -r "$work/code.o" | grep R_386; then
	echo "guest-code.sh: $source names addresses that only a linker knows" >&2
	exit 1
fi
"${X86_PREFIX}objcopy" -O binary -j "$section" "$work/code.o" "$work/code.bin"
{
	echo "/* Made by guest-code.sh of $(basename "$source"). */"
	echo "	.section $section, \"a\""
	echo "	.balign 16"
	echo "guest_code:"
	od -An -v -t x1 "$work/code.bin" | sed 's/ *$//; s/ /, 0x/g; s/^, /	.byte /'
	"${X86_PREFIX}nm" -g "$work/code.o" | while read -r value _ name; do
		printf '\t.globl %s\n\t.hidden %s\n\t.set %s, guest_code + 0x%s\n' "$name" "$name" "$name" "$value"
	done
	echo '	.section .note.GNU-stack, "", %progbits'
} >"$work/bytes"
mv -f "$work/bytes" "$output"
