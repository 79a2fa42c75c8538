#!/bin/sh
# iPXE from its ISO and as a kernel; network.sh has its option ROM.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need /usr/lib/ipxe/ipxe.iso ipxe

shell() { guest "$@" --timeout 200s --do 'wait-text "iPXE initialising devices...ok" 60s' --do 'wait-text "Ctrl-B" 60s' \
	--do 'keys <ctrl-b>' --do 'wait-text "iPXE>" 60s' --do 'type "echo answer is ${version}"' --do 'keys <enter>' --do 'wait-text "answer is 1." 30s' --do 'screen-text screen' --do quit; }
check "iPXE from its ISO" shell /usr/lib/ipxe/ipxe.iso
check "its version" grep -q '^iPXE 1\.' screen
check "iPXE as a kernel" shell --kernel /usr/lib/ipxe/ipxe.lkrn
rom=/usr/lib/ipxe/qemu/pxe-e1000.rom
if [ -r $rom ]; then
	check "iPXE's option ROM without its card" guest --option-rom $rom --do 'wait-text "iPXE (http://ipxe.org)" 60s' --do quit
else
	skip "iPXE's option ROM" "no $rom (Debian: apt install ipxe-qemu)"
fi
finish
