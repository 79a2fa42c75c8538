#!/bin/sh
# A gfxboot session, from ISOLINUX's banner to a menu in which keys move the bar, is
# saved, ended and restored V2E_CYCLES times, 20 by default and 1,000 to be sure. It
# ends as a session does that was never interrupted: the same picture, and a saved
# machine that is the same to the last bit.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need xorriso xorriso
need cpio cpio
need /usr/lib/ISOLINUX/isolinux.bin isolinux
need /usr/lib/syslinux/modules/bios/gfxboot.c32 syslinux-common
need /etc/bootsplash/themes gfxboot-themes
if [ "${V2E_CLOCK:-virtual}" = real ]; then
	skip cycles.sh "the clock is real"
	finish
fi
cycles=${V2E_CYCLES:-20}
session_ms=12000

assemble kernel && gfxboot_iso SLES SLES "$payloads/kernel.bin" || exit 1

# The last tenth of the cycles begins with a key each.
command_of() # CYCLE
{
	if [ "$1" -gt $((cycles - cycles / 10)) ]; then
		echo "keys <down>"
	else
		echo "sleep $((session_ms / cycles))ms"
	fi
}

straight()
{
	for cycle in $(seq "$cycles"); do
		command_of "$cycle"
	done >session
	guest -m 128M "$payloads/SLES.iso" --do 'wait-text ISOLINUX 120s' --do 'save begin.state' --script session \
		--do 'screenshot straight.png' --do 'save straight.state' --do quit
}

in_pieces()
{
	mv begin.state now.state
	for cycle in $(seq "$cycles"); do
		guest --restore now.state --do "$(command_of "$cycle")" --do 'save now.state' --do quit >/dev/null || return 1
	done
	guest --restore now.state --do 'screenshot pieces.png' --do quit
}

check "a session without a break" straight
check "it ends in the menu" size_is straight.png 800 600
check "the same in $cycles pieces, each in a process of its own" in_pieces
check "the pictures are equal" cmp straight.png pieces.png
check "the machines are equal, to the last bit" cmp straight.state now.state
[ -z "${V2E_KEEP:-}" ] || cp straight.png pieces.png "$V2E_KEEP/"
finish
