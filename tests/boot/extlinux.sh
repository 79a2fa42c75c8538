#!/bin/sh
# EXTLINUX on a FAT and on an ext2 disk. Its installer wants a mounted file system, and
# so root and a loop device.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need extlinux extlinux
need mke2fs e2fsprogs
need mkfs.fat dosfstools
need /usr/lib/syslinux/modules/bios/ldlinux.c32 syslinux-common
assemble kernel || exit 1

mkdir mnt
unmount() { ! mountpoint -q mnt || umount mnt; }
trap 'unmount; rm -rf "$tmp"' EXIT

# file_system NAME COMMAND...: a disk without partitions of 8 MiB with EXTLINUX on it.
file_system()
{
	name=$1
	shift
	truncate -s 8M "$name.img" && "$@" "$name.img" >/dev/null || return 1
	printf 'prompt 1\ntimeout 0\nlabel first\n  kernel linux\n  append on=%s\n' "$name" >config
	if ! mount -o loop "$name.img" mnt 2>mount.err; then
		[ "$name" = fat ] && have syslinux && have mcopy || return 77
		# The same loader, by the installer that needs no mount.
		mcopy -i fat.img "$payloads/kernel.bin" ::linux && mcopy -i fat.img config ::syslinux.cfg && syslinux --install fat.img
		return
	fi
	mkdir -p mnt/boot && cp "$payloads/kernel.bin" mnt/boot/linux && cp config mnt/boot/extlinux.conf &&
		extlinux --install mnt/boot >extlinux.log 2>&1
	status=$?
	umount mnt || return 1
	[ $status -eq 0 ] || { cat extlinux.log; return 1; }
}

for kind in 'fat mkfs.fat -F 16 -s 1' 'ext2 mke2fs -q -F -t ext2'; do
	# shellcheck disable=SC2086
	set -- $kind
	file_system "$@"
	case $? in
	0) ;;
	77) skip "EXTLINUX on $1" "nothing can be mounted here: $(head -n 1 mount.err)"; continue ;;
	*) fail "EXTLINUX is installed on $1"; continue ;;
	esac
	check "EXTLINUX on $1" guest --snapshot --disk $1.img --timeout 120s --do 'wait-text "boot:" 60s' --do 'screen-text screen' \
		--do 'type "first extra"' --do 'keys <enter>' --do "wait-text \"on=$1 extra\" 60s" --do 'screen-text linux' --do quit
	check "$1: its name" grep -qE '^(EXT|SYS)LINUX 6' screen
	check "$1: the command line" grep -qE "Kernel started with: .*on=$1.* extra" linux
done
finish
