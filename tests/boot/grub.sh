#!/bin/sh
# GRUB 2 from a CD and from a disk: text menu, graphical terminal, Linux, multiboot,
# another boot sector.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need grub-mkrescue grub-common
need /usr/lib/grub/i386-pc/boot.img grub-pc-bin
need xorriso xorriso
need mformat mtools
need /usr/share/grub/unicode.pf2 grub-common
grub=/usr/lib/grub/i386-pc
modules="iso9660 normal linux16 multiboot multiboot2 chain test echo configfile vbe all_video gfxterm font serial terminfo"

assemble kernel && assemble hello || exit 1
mkdir -p cd/boot/grub
cp "$payloads/kernel.bin" "$payloads/hello.bin" cd/boot/
cp /usr/share/grub/unicode.pf2 cd/boot/grub/
kernels=
if "$V2E_SRC/tests/guest/make-kernel.sh" cd/boot/mb1 -DMULTIBOOT=1 >/dev/null 2>&1 &&
   "$V2E_SRC/tests/guest/make-kernel.sh" cd/boot/mb2 -DMULTIBOOT=2 >/dev/null 2>&1; then
	kernels=yes
fi
cat >cd/boot/grub/grub.cfg <<'END'
set timeout=-1
menuentry "Linux entry" {
	linux16 /boot/kernel.bin number=1
}
menuentry "Chain entry" {
	chainloader /boot/hello.bin
}
menuentry "Graphics entry" {
	insmod all_video
	insmod gfxterm
	loadfont /boot/grub/unicode.pf2
	set gfxmode=800x600
	terminal_output gfxterm
}
menuentry "Multiboot entry" {
	multiboot /boot/mb1 hello
}
menuentry "Last entry" {
	multiboot2 /boot/mb2 hello
}
END
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH
grub-mkrescue -d $grub --fonts= --locales= --themes= --install-modules="biosdisk $modules" -o grub.iso cd >mkrescue.log 2>&1 || { cat mkrescue.log; exit 1; }

"$boot/make-grub-disk.sh" fat cd disk.img 8 "$modules" || exit 1

text_menu()
{
	rm -f screen linux
	check "$medium: the menu" guest -m 128M --snapshot $medium --timeout 120s --do 'wait-text "Last entry" 60s' \
		--do 'screen-text screen' --do 'keys <enter>' --do 'wait-text "number=1" 60s' --do 'screen-text linux' --do quit
	check "$medium: its name" grep -q 'GNU GRUB  version 2' screen
	check "$medium: Linux with its command line" grep -q 'Kernel started with: .*number=1' linux
	check "$medium: another boot sector" guest -m 128M --snapshot $medium --timeout 120s --do 'wait-text "Last entry" 60s' \
		--do 'keys <down><enter>' --do 'wait-text "Hello from drive" 60s' --do quit
}

# It waits for the last line of the help, where the text menu had none, and for the last entry.
graphical_menu()
{
	if [ "$engine" = kvm ] && interprets pm32; then
		skip "$medium: graphics" "the KVM of this host interprets, and loading the font takes it more than ten minutes"
		return
	fi
	# shellcheck disable=SC2086
	check "$medium: graphics" guest ${V2E_PICTURE_OPTIONS:-} -m 128M --snapshot $medium --timeout 120s --do 'wait-text "Last entry" 60s' \
		--do 'keys <down><down><enter>' --do 'wait-colours 2 58,524,150,14 60s' --do 'wait-colours 2 34,140,80,14 60s' --do 'wait-stable 1s 60s' \
		--do 'screenshot menu.png' --do 'keys <down>' --do 'wait-change 60s' --do 'wait-stable 1s 60s' --do 'screenshot moved.png' --do quit
	check "$medium: 800x600" size_is menu.png 800 600
	check "$medium: the menu is drawn" colours menu.png 2 100
	check "$medium: the bar moves" differ menu.png moved.png 2000 60000
	[ -z "${V2E_KEEP:-}" ] || cp menu.png moved.png "$V2E_KEEP/"
}

kernels()
{
	if [ -z "$kernels" ]; then
		skip "$medium: multiboot" "no compiler for 32-bit code"
		return
	fi
	rm -f serial
	check "$medium: multiboot" guest -m 128M --snapshot $medium --serial file:serial --timeout 120s --do 'wait-text "Last entry" 60s' \
		--do 'keys <down><down><down><enter>' --do 'wait-serial "all is loaded" 60s' --do quit
	check "$medium: and its map" grep -q '^map 0000000000100000 length .* type 1' serial
	check "$medium: multiboot2" guest -m 128M --snapshot $medium --serial file:serial --timeout 120s --do 'wait-text "Last entry" 60s' \
		--do 'keys <down><down><down><down><enter>' --do 'wait-serial "all is loaded" 60s' --do quit
}

for medium in grub.iso disk.img; do
	text_menu
	graphical_menu
	kernels
done
finish
