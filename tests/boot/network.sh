#!/bin/sh
# Booting from the network: iPXE's option ROM takes an address by DHCP and a program by
# TFTP; PXELINUX shows the Debian installer's menu. Nothing of it leaves the process.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need /usr/lib/ipxe/qemu/pxe-e1000.rom ipxe-qemu
if "$V2E" run --net user --net-rom none --do quit 2>&1 | grep -q 'built without libslirp'; then
	skip "$(basename "$0")" "v2e was built without libslirp (Debian: apt install libslirp-dev)"
	finish
fi
assemble pxe || exit 1
mkdir tftp && cp "$payloads/pxe.bin" tftp/hello.0

network() { guest --net user --net-tftp "$@"; }

check "a program by DHCP and TFTP" network tftp --net-bootfile hello.0 --trace guest-error \
	--do 'wait-text "Hello from the network" 60s' --do 'screen-text screen' --do quit
check "iPXE got the first address" grep -q '^net0: 10\.0\.2\.15/255\.255\.255\.0' screen
check "the card was used as it is meant" sh -c '! grep e1000 err'
check "the network before the floppy" network tftp --net-bootfile hello.0 --boot network,floppy \
	--do 'wait-text "Hello from the network" 60s' --do 'screen-text screen' --do quit
check "the floppy was not tried" sh -c '! grep -q "Booting from Floppy" screen'
check "another address of the card" network tftp --net-bootfile hello.0 --net-mac 02:00:00:ab:cd:ef \
	--do 'wait-text "net0: 02:00:00:ab:cd:ef" 60s' --do quit
check "a file that is not there" network tftp --net-bootfile missing.0 \
	--do 'wait-text "tftp://10.0.2.2/missing.0... " 60s' --do 'wait-text "No bootable device" 60s' --do quit

menu=/usr/lib/debian-installer/images/12/amd64/text
if [ ! -e $menu/pxelinux.0 ]; then
	skip "the Debian installer's menu" "no $menu (Debian: apt install debian-installer-12-netboot-amd64)"
	finish
fi
# shellcheck disable=SC2086
check "PXELINUX and the Debian installer's menu" network $menu ${V2E_PICTURE_OPTIONS:-} --net-bootfile pxelinux.0 -m 256M \
	--do 'wait-text "PXELINUX 6" 60s' --do 'wait-colours 200 0,0,640,480 120s' --do 'wait-stable 2s 120s' \
	--do 'screenshot menu.png' --do 'keys <down>' --do 'wait-change 60s' --do 'wait-stable 1s 60s' --do 'screenshot moved.png' --do quit
check "it is 640x480" size_is menu.png 640 480
check "it is a picture" colours menu.png 200 100000
check "the bar moves" differ_within menu.png moved.png 100 180 520 240
[ -z "${V2E_KEEP:-}" ] || cp menu.png moved.png "$V2E_KEEP"
finish
