#!/bin/sh
# ISOLINUX from a CD: its prompt in text mode, and the graphical vesamenu.c32.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need xorriso xorriso
need /usr/lib/ISOLINUX/isolinux.bin isolinux
need /usr/lib/syslinux/modules/bios/vesamenu.c32 syslinux-common

assemble kernel || exit 1

# cd_image NAME MODULE...: the configuration comes on standard input.
cd_image()
{
	name=$1
	shift
	rm -rf "cd-$name"
	mkdir -p "cd-$name/boot/isolinux"
	for module; do
		: >"cd-$name/boot/isolinux/$module.c32"
	done
	cp "$payloads/kernel.bin" "cd-$name/boot/isolinux/linux"
	cat >"cd-$name/boot/isolinux/isolinux.cfg"
	"$boot/make-iso.sh" "cd-$name" "$payloads/$name.iso"
}

cd_image prompt <<'END' || exit 1
prompt 1
timeout 0
say Type first or second
label first
  kernel linux
  append number=1
label second
  kernel linux
  append number=2
END
check "ISOLINUX shows its prompt" \
	guest --cdrom "$payloads/prompt.iso" --do 'wait-text "boot:" 120s' --do 'screen-text screen' --do quit
check "and its name" grep -q '^ISOLINUX 6' screen
check "and the text of its configuration" grep -q '^Type first or second' screen
check "what is typed at the prompt is started" \
	guest "$payloads/prompt.iso" --do 'wait-text "boot:" 120s' --do 'type "second extra"' --do 'keys <enter>' \
		--do 'wait-text "number=2 extra" 60s' --do 'screen-text screen' --do quit
check "with the command line of the label and of the prompt" \
	grep -qE 'Kernel started with: .*number=2.* extra' screen
check "a name that is not there" \
	guest "$payloads/prompt.iso" --do 'wait-text "boot:" 120s' --do 'keys third<enter>' \
		--do 'wait-text "Loading third... failed: No such file or directory" 60s' --do quit

cd_image vesamenu vesamenu libcom32 libutil libmenu menu <<'END' || exit 1
ui vesamenu.c32
prompt 0
timeout 0
menu title Which one
label first
  kernel linux
  append number=1
label second
  kernel linux
  append number=2
END
rm -f screen
# shellcheck disable=SC2086
check "vesamenu draws, moves and starts" \
	guest ${V2E_PICTURE_OPTIONS:-} "$payloads/vesamenu.iso" --do 'wait-text "ISOLINUX" 120s' \
		--do 'wait-colours 50 0,0,640,480 120s' --do 'wait-stable 2s 120s' --do 'screenshot a.png' \
		--do 'keys <down>' --do 'wait-change 60s' --do 'wait-stable 1s 60s' --do 'screenshot b.png' \
		--do 'keys <enter>' --do 'wait-text "number=2" 60s' --do 'screen-text screen' --do quit
check "in 640x480" size_is a.png 640 480
check "in colour" colours a.png 50 100000
check "the bar has moved" differ a.png b.png 2000 40000
check "by one line in the upper half" differ_within a.png b.png 40 50 600 240
check "Enter starts what the bar is on" grep -q 'Kernel started with: .*number=2' screen
[ -z "${V2E_KEEP:-}" ] || cp a.png b.png "$V2E_KEEP/"
finish
