#!/bin/sh
# SeaBIOS alone, and the boot sectors that it starts.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need /usr/share/seabios/bios.bin seabios

assemble hello && image hello 1440K && image hello 1M || exit 1
assemble exit && image exit 1M || exit 1
assemble shutdown && image shutdown 1440K || exit 1

check "SeaBIOS says that there is nothing to boot" \
	guest --do 'wait-text "No bootable device" 60s' --do 'screen-text screen' --do quit
check "SeaBIOS shows its name" grep -q '^SeaBIOS (version' screen
check "SeaBIOS logs to port 402h" \
	guest --debugcon 0x402:log --do 'wait-text "No bootable device" 60s' --do quit
check "the log holds the memory map" grep -q 'e820 map has' log
check "the log counts the boot attempts" grep -q '^No bootable device' log
check "48 MiB are seen" \
	guest -m 48M --debugcon 0x402:log --do 'wait-text "No bootable device" 60s' --do quit
check "and told to the guest" grep -qE ': 0000000000100000 - 0000000002[ef][0-9a-f]{5} = 1 RAM' log

check "a boot sector on a floppy" \
	guest --floppy "$payloads/hello-1440K.img" --snapshot --do 'wait-text "Hello from drive 00h" 60s' --do quit
check "a boot sector on a hard disk" \
	guest --disk "$payloads/hello-1M.img" --snapshot --do 'wait-text "Hello from drive 80h" 60s' --do quit
check "a disk image without an option" \
	guest --snapshot "$payloads/hello-1M.img" --do 'wait-text "Hello from drive 80h" 60s' --do quit
check "the screenshot of a text mode" \
	guest --disk "$payloads/hello-1M.img" --snapshot --do 'wait-text Hello 60s' --do 'screenshot hello.png' --do quit
check "it is 720x400" size_is hello.png 720 400
check "it shows text" colours hello.png 2 16

check "the exit port ends the machine" \
	ends_with 67 --disk "$payloads/exit-1M.img" --snapshot --exit-port 0xf4 --timeout 60s
check "a reset with a shutdown byte in CMOS goes on through 40:67" \
	ends_with 85 --floppy "$payloads/shutdown-1440K.img" --snapshot --exit-port 0xf4 --timeout 60s
check "quit gives its status" ends_with 5 --do 'quit 5'
finish
