#!/bin/sh
# The gfxboot menu: it changes between real and protected mode for each BIOS
# call and patches its own code.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need cpio cpio
need xorriso xorriso
need /usr/lib/ISOLINUX/isolinux.bin isolinux
need /usr/lib/syslinux/modules/bios/gfxboot.c32 syslinux-common
need /etc/bootsplash/themes gfxboot-themes

assemble kernel || exit 1
for theme in SLES openSUSE; do
	gfxboot_iso $theme $theme "$payloads/kernel.bin" || exit 1
	check "$theme: the menu comes up, moves, helps and starts" \
		guest -m 128M "$payloads/$theme.iso" --timeout 600s \
			--do 'wait-text ISOLINUX 120s' --do 'wait-colours 1000 0,0,800,600 300s' --do 'wait-stable 3s 120s' \
			--do "screenshot $theme-menu.png" \
			--do 'keys <down><down>' --do 'wait-change 60s' --do 'wait-stable 1s 60s' --do "screenshot $theme-moved.png" \
			--do 'keys <f1>' --do 'wait-change 60s' --do 'wait-stable 1s 60s' --do "screenshot $theme-help.png" \
			--do 'keys <esc>' --do 'wait-change 60s' --do 'wait-stable 1s 60s' --do "screenshot $theme-back.png" \
			--do 'keys <enter>' --do 'wait-text "entry=rescue" 120s' \
			--do "screen-text $theme-screen" --do quit
	check "$theme: 800x600" size_is $theme-menu.png 800 600
	check "$theme: a picture, not a few colours" colours $theme-menu.png 1000 1000000
	check "$theme: the bar left the first entry" differ $theme-menu.png $theme-moved.png 2000 20000 250 165 300 30
	check "$theme: the bar is on the third entry" differ $theme-menu.png $theme-moved.png 2000 20000 250 222 300 30
	check "$theme: nothing else moved but the boot options" \
		differ_within $theme-menu.png $theme-moved.png 160 165 790 505
	check "$theme: the help window is opaque" colours $theme-help.png 1 2 300 300 300 100
	check "$theme: and covers the picture" differ $theme-moved.png $theme-help.png 100000 300000 100 80 600 380
	check "$theme: nothing outside it changed" differ_within $theme-moved.png $theme-help.png 100 80 700 460
	check "$theme: Escape closes it" differ $theme-moved.png $theme-back.png 0 0
	check "$theme: Enter starts the entry" grep -q 'Kernel started with: .*entry=rescue' $theme-screen
	[ -z "${V2E_KEEP:-}" ] || cp $theme-*.png "$V2E_KEEP/"
done
finish
