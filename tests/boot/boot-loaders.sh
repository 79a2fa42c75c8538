#!/bin/sh
# Boot loaders load Debian's 32-bit kernel and its initial RAM disk, to a busybox shell:
# GRUB 2 from its text menu and from its graphical terminal, from the partition of a hard
# disk, and from another loader's disk by way of its boot sector; ISOLINUX; EXTLINUX, on a
# FAT and on an ext2 disk.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need xorriso xorriso
need cpio cpio
need_linux "Linux by boot loaders"
line='console=tty0 console=ttyS0,115200 quiet panic=-1 tsc=unstable vt.global_cursor_default=0 v2e.quick'

unmount() { ! mountpoint -q mnt || umount mnt; }
trap 'unmount; rm -rf "$tmp"' EXIT

# shell NAME ARGUMENTS...: the shell is ready, and answers on the screen's console. The
# name's first word is in the kernel's command line.
shell()
{
	name=$1 from=from=${1%% *}
	shift
	rm -f serial screen.png
	check "$name: to the shell" guest -m 128M --snapshot --serial file:serial --timeout 300s "$@" \
		--do 'wait-serial "shell on Linux" 200s' --do 'wait-stable 2s 60s' --do 'type "echo by $(cat /proc/cmdline) >/dev/ttyS0"' \
		--do 'keys <enter>' --do "wait-serial $from 60s" --do 'screenshot screen.png' --do quit
	check "$name: of the kernel that was asked for" grep -q '^shell on Linux 6.* i686' serial
	check "$name: with its command line" grep -q "by .*$from" serial
}

files() # FOLDER
{
	mkdir -p "$1" && cp "$linux/vmlinuz" "$1/linux" && cp "$linux/initrd.gz" "$1/initrd"
}

with_isolinux()
{
	files isolinux/boot/isolinux
	printf 'default linux\nprompt 0\nlabel linux\n  kernel linux\n  append initrd=initrd %s from=isolinux\n' "$line" >isolinux/boot/isolinux/isolinux.cfg
	"$boot/make-iso.sh" isolinux isolinux.iso || exit 1
	shell isolinux isolinux.iso
}

# By the installer that needs no mounted file system.
with_extlinux()
{
	truncate -s 16M extlinux.img && mkfs.fat -F 16 extlinux.img >/dev/null || exit 1
	printf 'default linux\nprompt 0\nlabel linux\n  kernel linux\n  append initrd=initrd %s from=extlinux\n' "$line" >syslinux.cfg
	mcopy -i extlinux.img "$linux/vmlinuz" ::linux && mcopy -i extlinux.img "$linux/initrd.gz" ::initrd &&
		mcopy -i extlinux.img syslinux.cfg ::syslinux.cfg && syslinux --install extlinux.img || exit 1
	shell extlinux --disk extlinux.img
}

# The installer for ext2 wants a mounted file system, and so root and a loop device.
with_extlinux_on_ext2()
{
	mkdir mnt
	truncate -s 16M ext2.img && mke2fs -q -F -t ext2 ext2.img || exit 1
	if ! mount -o loop ext2.img mnt 2>mount.err; then
		skip "ext2" "nothing can be mounted here: $(head -n 1 mount.err)"
		return
	fi
	files mnt/boot
	printf 'default linux\nprompt 0\nlabel linux\n  kernel linux\n  append initrd=initrd %s from=ext2\n' "$line" >mnt/boot/extlinux.conf
	extlinux --install mnt/boot >extlinux.log 2>&1
	status=$?
	umount mnt
	[ $status -eq 0 ] || { cat extlinux.log; fail "EXTLINUX is installed on ext2"; return; }
	shell ext2 --disk ext2.img
}

# GRUB on the disk itself, its menu and what it loads in an ext2 partition.
with_grub_disk()
{
	files disk/boot
	mkdir -p disk/boot/grub
	cat >disk/boot/grub/grub.cfg <<-END
		set timeout=-1
		menuentry "Disk entry" {
			linux /boot/linux $line from=grub-disk
			initrd /boot/initrd
		}
	END
	"$boot/make-grub-disk.sh" ext2 disk grub.img 24 "normal linux echo test" || { fail "GRUB is put on a disk"; return; }
	shell grub-disk --disk grub.img --do 'wait-text "Disk entry" 60s' --do 'screen-text menu' --do 'keys <enter>'
	check "grub-disk: by GRUB" grep -q 'GNU GRUB  version 2' menu
}

grub_iso()
{
	files grub/boot
	mkdir -p grub/boot/grub && cp /usr/share/grub/unicode.pf2 grub/boot/grub/
	cat >grub/boot/grub/grub.cfg <<-END
		set timeout=-1
		menuentry "Text entry" {
			linux /boot/linux $line from=grub-text
			initrd /boot/initrd
		}
		menuentry "Graphics entry" {
			insmod all_video
			insmod gfxterm
			loadfont /boot/grub/unicode.pf2
			set gfxmode=800x600
			set gfxpayload=keep
			terminal_output gfxterm
			linux /boot/linux $line from=grub-graphics
			initrd /boot/initrd
		}
		menuentry "Chain entry" {
			insmod chain
			set root=hd0
			chainloader +1
		}
	END
	grub-mkrescue -d /usr/lib/grub/i386-pc --fonts= --locales= --themes= -o grub.iso grub \
		--install-modules="biosdisk iso9660 normal linux chain test echo configfile vbe all_video gfxterm font" >mkrescue.log 2>&1 ||
		{ cat mkrescue.log; exit 1; }
}

with_grub()
{
	grub_iso
	shell grub-text grub.iso --do 'wait-text "Chain entry" 60s' --do 'keys <enter>'
	check "grub-text: the screen is text" size_is screen.png 720 400
	shell grub-graphics grub.iso --do 'wait-text "Chain entry" 60s' --do 'keys <down><enter>'
	check "grub-graphics: the screen stays graphical" size_is screen.png 800 600
	check "grub-graphics: the kernel draws on it" colours screen.png 2 1000
}

if [ -r /usr/lib/ISOLINUX/isolinux.bin ]; then
	with_isolinux
else
	skip "isolinux" "no isolinux (Debian: apt install isolinux)"
fi
if have syslinux && have mkfs.fat && have mcopy; then
	with_extlinux
else
	skip "extlinux" "no syslinux, dosfstools or mtools (Debian: apt install them)"
fi
if have extlinux && have mke2fs; then
	with_extlinux_on_ext2
else
	skip "ext2" "no extlinux or e2fsprogs (Debian: apt install them)"
fi
if have grub-mkimage && have mke2fs && [ -r /usr/lib/grub/i386-pc/boot.img ]; then
	with_grub_disk
else
	skip "grub-disk" "no grub-mkimage, grub-pc-bin or e2fsprogs (Debian: apt install grub-common grub-pc-bin e2fsprogs)"
fi
if have grub-mkrescue && [ -r /usr/lib/grub/i386-pc/boot.img ] && [ -r /usr/share/grub/unicode.pf2 ]; then
	with_grub
	# GRUB's CD before a disk with the other loader, which it starts.
	[ ! -e extlinux.img ] || shell 'extlinux chain-loaded by GRUB' --cdrom grub.iso --disk extlinux.img --boot cdrom --do 'wait-text "Chain entry" 60s' --do 'keys <down><down><enter>'
else
	skip "GRUB" "no grub-mkrescue or grub-pc-bin (Debian: apt install grub-common grub-pc-bin)"
fi
[ -z "${V2E_KEEP:-}" ] || cp screen.png "$V2E_KEEP/"
finish
