#!/bin/sh
# KVM and the emulator by turns come to the same screens as the emulator alone.
#
# A KVM that interprets runs some million instructions a second, and gfxboot wants
# 800 million: there the emulator keeps protected mode for a million blocks at a
# time. The rest is handed over as by default.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need /usr/share/seabios/bios.bin seabios
if ! "$V2E" run --engine hybrid --do quit >out 2>&1; then
	skip "hybrid" "$(head -n 1 out)"
	finish
fi
assemble hello && image hello 1440K && assemble kernel || exit 1
mkdir emu hybrid

# both ARGUMENTS...: by each engine, in a folder of its own; the last thing that they
# do is to wait until nothing changes.
both()
{
	(cd emu && guest "$@" --do quit) || return 1
	(cd hybrid && "$V2E" run --engine hybrid --stats "$@" --do quit >out 2>err) && return
	cat hybrid/out hybrid/err
	return 1
}
by_turns() { grep -E '^(transition-|kvm.watch)' hybrid/out hybrid/err; grep -qhE "^$1 [1-9]" hybrid/out hybrid/err; }
same_text() { diff emu/screen hybrid/screen; }

check "SeaBIOS" both --timeout 120s --do 'wait-text "No bootable device" 100s' --do 'wait-stable 1s' --do 'screen-text screen'
check "KVM leaves protected mode" by_turns transition-pe-cleared
check "and gets it" by_turns transition-real-left
check "the same screen" same_text
check "a boot sector" both --floppy "$payloads/hello-1440K.img" --snapshot --timeout 120s \
	--do 'wait-text "Hello from drive 00h" 100s' --do 'wait-stable 1s' --do 'screen-text screen'
check "the same screen" same_text

if [ ! -e /usr/lib/ISOLINUX/isolinux.bin ] || [ ! -e /usr/lib/syslinux/modules/bios/gfxboot.c32 ] || ! have xorriso ||
   ! have cpio || [ ! -d /etc/bootsplash/themes ]; then
	skip "ISOLINUX and gfxboot" "no isolinux, syslinux-common, xorriso, cpio or gfxboot-themes (Debian: apt install them)"
	finish
fi
mkdir -p cd/boot/isolinux
cp "$payloads/kernel.bin" cd/boot/isolinux/linux
printf 'prompt 1\ntimeout 0\nsay Type first\nlabel first\n  kernel linux\n' >cd/boot/isolinux/isolinux.cfg
"$boot/make-iso.sh" cd "$payloads/hybrid.iso" && gfxboot_iso SLES SLES "$payloads/kernel.bin" || exit 1
check "ISOLINUX and a kernel" both "$payloads/hybrid.iso" --timeout 300s --do 'wait-text "boot:" 200s' --do 'type first' \
	--do 'keys <enter>' --do 'wait-text "Kernel started with: " 60s' --do 'wait-stable 1s' --do 'screen-text screen'
check "KVM leaves protected mode" by_turns transition-pe-cleared
check "the same screen" same_text
check "gfxboot" both -m 128M "$payloads/SLES.iso" --threshold 1000000 --timeout 600s \
	--do 'wait-text ISOLINUX 200s' --do 'wait-colours 1000 0,0,800,600 300s' --do 'wait-stable 15s 300s' --do 'screenshot menu.png'
check "KVM had its part of it" by_turns transition-real-left
check "a picture, not a few colours" colours hybrid/menu.png 1000 1000000
check "the same screen" differ emu/menu.png hybrid/menu.png 0 0
finish
