#!/bin/sh
# Whatever is wrong with a command line, an image or a script: exit status 2 and
# one line on standard error that says what, where and what to do about it.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"

# says STATUS 'WORD|WORD...' ARGS...: the command's status and message.
says()
{
	want=$1 words=$2
	shift 2
	timeout 60 "$V2E" "$@" >out 2>err </dev/null
	status=$?
	cat err
	[ $status -eq "$want" ] || { echo "status $status, not $want"; return 1; }
	[ "$(wc -l <err)" -eq 1 ] || { echo "not one line"; return 1; }
	[ ! -s out ] || { echo "something on standard output"; return 1; }
	saved=$IFS IFS='|'
	set -f
	for word in $words; do
		grep -qF -e "$word" err || { IFS=$saved; set +f; echo "no word '$word'"; return 1; }
	done
	IFS=$saved
	set +f
}

bad()
{
	words=$1
	shift
	check "v2e $*" says 2 "$words" "$@"
}

poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# --- the command ---------------------------------------------------------------
bad 'no command|v2e run IMAGE'
bad "unknown command 'rnu'|did you mean run" rnu
bad 'v2e run ./some.iso' ./some.iso
bad 'unknown command|--help' frobnicate
bad 'unknown option --verison|--version' --verison
bad 'write the command first' --help run

# --- each command by its own name ------------------------------------------------
bad 'v2e trace: nowhere.bin|check the name' trace nowhere.bin
bad 'v2e trace: --symbols: .: is a folder|in it' trace --symbols .
bad 'v2e trace: --symbols: nowhere: No such file|give an ELF file' trace --symbols nowhere
bad "v2e test: --engines: unknown engine 'foo'|hybrid" test --engines foo .
bad "v2e bench: --threshold: '-1' is not a number|such as 100000" bench --threshold -1
bad 'v2e run: --gdb: cannot listen at /nowhere/s|in a folder' run --gdb unix:/nowhere/s

# --- options ---------------------------------------------------------------------
bad 'unknown option --cdorm|did you mean --cdrom' run --cdorm x
bad 'unknown option --quux|v2e run --help' run --quux
bad 'unknown option -z' run -z
bad '--cdrom needs a value|FILE' run --cdrom
bad '--cdrom needs a value' run --cdrom --snapshot
bad '--snapshot takes no value' run --snapshot=1
bad '--bios is given twice' run --bios a --bios b
bad "two images|'a'|'b'|--disk" run a b
bad '--memory|not a size|64M' run -m much
bad '--memory|out of range|3584M' run -m 8G
bad '--cpu|unknown CPU|486|p6' run --cpu 8088
bad '--engine|unknown engine' run --engine fast
bad '--channel|unknown channel|eventfd' run --channel pipe
bad '--boot|floppy' run --boot usb
bad '--boot|twice' run --boot disk,disk
bad '--serial|stdio|none' run --serial tty
bad '--serial|both ports' run --serial stdio --serial stdio
bad '--debugcon|PORT:FILE' run --debugcon 0x402
bad '--exit-port|out of range' run --exit-port 65536
bad '--exit-port|0x60|keyboard' run --exit-port 0x60
bad '--exit-port and --debugcon|0x402' run --exit-port 0x402 --debugcon 0x402:-
bad '--timeout|500ms' run --timeout 10
bad '--clock|real or virtual' run --clock wall
bad "--trace|'nonsense'|guest-error" run --trace io,nonsense
bad '--log|/nonexistent/log|can be written' run --log /nonexistent/log
bad '--compare|two engines|emu,kvm' run --compare emu
bad '--transitions|neither JSON nor CSV' run --transitions log.txt
bad '--transitions|/nonexistent/log.csv|can be written' run --transitions /nonexistent/log.csv
ln -s /dev/full full.csv
bad '--transitions|full.csv|No space left' run --transitions full.csv
# Files include the guest's memory; in units of 512 bytes or of 1 KiB.
limited() { (ulimit -f 100 && says 2 'RAM|File too large|less may do' run); }
check "a limit of files' size" limited
for option in transitions=a.csv stats gdb=1234 monitor=stdio; do
	bad "--${option%%=*}|--compare has two machines" run --compare emu,emu "--$option"
	bad "--${option%%=*}|--compare has two machines" run --compare "emu,emu:$option"
done
bad '--exit-port|0x60' run --compare emu,emu:exit-port=0x60
bad '--virtio-console|stdio|unix:SOCKET' run --virtio-console tty
bad '--virtio-console and --serial|stdio|another place' run --virtio-console stdio --serial stdio
bad '--virtio-console and --monitor|unix:a' run --virtio-console unix:a --monitor unix:a
bad '--virtio-console and --display|another place' run --virtio-console stdio --display term
bad '/nonexistent/console' run --virtio-console file:/nonexistent/console
bad '--virtio-disk|at most 4' run --virtio-disk a --virtio-disk b --virtio-disk c --virtio-disk d --virtio-disk e
bad '/nonexistent/disk' run --virtio-disk /nonexistent/disk
bad '--virtio-disk|file name is empty' run --virtio-disk ''
bad '--virtio-legacy|no virtio device' run --virtio-legacy
bad '--virtio-rng takes no value' run --virtio-rng=1
bad '--net-model|e1000 or virtio' run --net user --net-model ne2000
bad '--net-...|no network card' run --net-model virtio
bad '--net-rom|virtio card has no ROM' run --net user --net-model virtio --net-rom x
bad '--boot network|--net-model e1000' run --net user --net-model virtio --boot network
bad '/nonexistent/serial' run --serial file:/nonexistent/serial
bad '/nonexistent/socket' run --serial unix:/nonexistent/socket

# --- scripts ---------------------------------------------------------------------
bad '--do:1|unknown command|did you mean wait-text' run --do 'wiat-text x'
bad '--do:2|sleep|not a time' run --do 'sleep 1s' --do 'sleep x'
bad '--do:1|quote is not closed' run --do 'wait-text "x'
bad '--do:1|keys|nosuchkey' run --do 'keys <nosuchkey>'
printf '# fine\nsleep 1s\nscreenshot x.gif\n' >some.v2e
bad 'some.v2e:3|screenshot|.png' run --script some.v2e
bad 'no.v2e|No such file' run --script no.v2e
bad 'directory' run --script .
printf '\377\376' >binary.v2e
bad 'binary.v2e|UTF-8' run --script binary.v2e

# --- images ----------------------------------------------------------------------
bad 'no.iso|no such file' run no.iso
: >empty.iso
bad 'empty.iso|is empty' run empty.iso
mkdir folder
bad 'folder|is a directory' run folder
mkfifo pipe
bad 'pipe|neither a file nor a block device' run pipe
truncate -s 5000 odd.img
bad 'odd.img|nothing that boots|--type' run odd.img
truncate -s 40000 cut.iso
poke cut.iso 32768 '\001CD001\001'
poke cut.iso 32848 '\000\001\000\000'
poke cut.iso 32896 '\000\010'
bad 'cut.iso|truncated|again' run cut.iso
bad 'cut.iso|truncated' run --cdrom cut.iso
truncate -s 512 unsigned.bin
bad 'unsigned.bin|signature|55h AAh' run unsigned.bin
truncate -s 2000000 cut.img
poke cut.img 510 '\125\252'
bad 'cut.img|truncated|512' run cut.img
bad 'cut.img|truncated or no floppy' run --floppy cut.img
truncate -s 4M large.img
bad 'large.img|oversized|--disk' run --floppy large.img
bad 'large.img|not an ISO' run --cdrom large.img
printf 'QFI\373' >some.qcow2
truncate -s 196608 some.qcow2
bad 'qcow2|qemu-img convert' run some.qcow2
bad 'qcow2|qemu-img convert' run --disk some.qcow2
bad 'no IDE connector is left' run --snapshot --disk large.img --disk large.img --disk large.img --disk large.img --disk large.img
truncate -s 1440K floppy.img
bad 'no floppy drive is left' run --snapshot --floppy floppy.img --floppy floppy.img --floppy floppy.img
bad 'large.img' run --disk large.img --disk large.img

# --- kernels -----------------------------------------------------------------------
bad "--type|unknown kind 'exe'|multiboot2" run --type exe floppy.img
bad '--type|there is no IMAGE' run --type disk
bad '--type|no kernel and no IMAGE' run --type elf
bad '--type flat|--load-at' run --type flat odd.img
bad '--load-at|flat' run --type elf --load-at 0x8000 odd.img
bad '--load-at|no kernel' run --load-at 0x8000
bad '--load-at|out of range' run --load-at 0x100000000 odd.img
bad '--initrd|there is no kernel|--kernel' run --initrd odd.img
bad '--append|there is no kernel' run --append quiet floppy.img
bad '--module|there is no kernel' run --module odd.img
bad '--module|file name is empty' run --module ' words'
bad 'no-kernel|No such file' run --kernel no-kernel
bad 'empty.iso|is empty' run --kernel empty.iso
bad 'folder|not a regular file' run --kernel folder
bad 'odd.img|is no kernel|--load-at' run --kernel odd.img
bad 'odd.img|no Linux kernel|HdrS' run --type linux odd.img
bad 'odd.img|no ELF file' run --type elf odd.img
bad 'odd.img|no multiboot kernel|8192' run --type multiboot odd.img
bad 'odd.img|no multiboot2 kernel|32768' run --type multiboot2 odd.img
bad 'odd.img|0009A000h|99FFFh' run --load-at 0x9a000 odd.img
bad 'odd.img|1FFFFFFh|too big for memory|-m' run -m 32M --load-at 0x1ffffff odd.img
bad 'odd.img|--append is for other kernels' run --load-at 0x8000 odd.img --append words
printf '\177ELF\002\001\001' >wide.elf
truncate -s 100 wide.elf
bad 'wide.elf|class is 2|64 bits|gcc -m32' run wide.elf
printf '\177ELF\001\001\001' >arm.elf
truncate -s 100 arm.elf
poke arm.elf 18 '\050'
bad 'arm.elf|machine is 40|3 (386)' run arm.elf
truncate -s 30 arm.elf
bad 'arm.elf|truncated|52 bytes|30' run arm.elf
bad 'two kernels|arm.elf|wide.elf' run --kernel arm.elf wide.elf
bad 'odd.img|option ROM|signature|ipxe-qemu' run --option-rom odd.img

chmod 0 odd.img
if [ -r odd.img ]; then
	skip "an image that may not be read" "this user may read everything"
else
	bad 'odd.img|permission denied' run odd.img
fi
chmod 444 large.img
if [ -w large.img ]; then
	skip "a disk that may not be written" "this user may write everything"
else
	bad 'large.img|--snapshot' run --disk large.img
fi

# --- firmware --------------------------------------------------------------------
bad 'no.bin|BIOS|seabios|--bios' run --bios no.bin
truncate -s 100000 odd.bin
bad 'odd.bin|size|64 KiB|--bios' run --bios odd.bin
truncate -s 65536 blank.bin
bad 'blank.bin|reset vector|--bios' run --bios blank.bin
truncate -s 16777217 huge.bin
bad 'huge.bin|size|--bios' run --bios huge.bin
truncate -s 65536 rom.bin
poke rom.bin 65520 '\364'
bad 'no.bin|VGA BIOS|--vgabios' run --bios rom.bin --vgabios no.bin
bad 'blank.bin|VGA BIOS|signature' run --bios rom.bin --vgabios blank.bin

finish
