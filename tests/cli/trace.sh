#!/bin/sh
# v2e trace and --trace: BIOS calls in words, the same on every way to run them; JSON
# lines; names of addresses.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"
for tool in nasm jq ld nm; do
	have $tool && continue
	skip "everything" "no $tool (Debian: apt install nasm jq binutils)"
	finish
done
if ! timeout 60 "$V2E" run --clock virtual --do quit >err 2>&1 </dev/null; then
	skip "everything" "$(head -n 1 err)"
	finish
fi
nasm -f bin -o calls.bin "$V2E_SRC/tests/cli/calls.asm" || exit 1

# trace FILE ARGUMENTS...
trace()
{
	file=$1
	shift
	timeout 120 "$V2E" trace --clock virtual --engine emu -o "$file" "$@" calls.bin --timeout 60s --do 'wait-text DONE' --do 'sleep 100ms' --do quit
}

has() # FILE LINES...: without times and numbers of blocks, in this order
{
	file=$1
	shift
	sed 's/^ *[0-9]*\.[0-9]* //; s/ after [0-9]* blocks$//' "$file" >plain
	at=0
	for line; do
		found=$(tail -n +$((at + 1)) plain | grep -nxF -e "$line" | head -n 1 | cut -d : -f 1)
		[ -n "$found" ] || { echo "not there, or not in this place: $line"; return 1; }
		at=$((at + found))
	done
}

refuses() # 'TEXT' ARGUMENTS...
{
	text=$1
	shift
	timeout 60 "$V2E" "$@" >out 2>err </dev/null
	status=$?
	cat err
	[ $status -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF -e "$text" err
}

check "v2e trace writes text" trace calls.txt
check "calls are in words, with what they returned" has calls.txt \
	'int 12h memory size = 639 KiB' \
	'int 15h AX=e820 memory map entry 00000000 -> 0000:8000 20 bytes = ok: 0-9fbff usable, next 00000001' \
	'int 13h AH=02 read drive 00 CHS 0/0/1 count 1 -> 0000:8000 = ok' \
	'int 13h AH=42 extended read drive 00 LBA 2048 count 8 -> 2000:0000 = error 01 (invalid command)' \
	'int 10h AX=4f01 VBE mode information mode 0101 -> 0000:8000 = ok: 640x480x8, frame buffer fd000000'
check "also one that PUSHF and CALL FAR made, and one within another" has calls.txt \
	'int 10h AX=4f01 VBE mode information mode 0101 -> 0000:8000 = ok: 640x480x8, frame buffer fd000000' \
	'int 12h memory size = 639 KiB' \
	'int 60h AX=1234 BX=8000 CX=0101 DX=0000 SI=7cb8 DI=8000 DS=0000 ES=0000 ...' \
	'  int 12h memory size = 639 KiB' \
	'int 60h ... = AX=027f BX=8000 CX=0101 DX=0000 CF=1'
check "strings are quoted" has calls.txt \
	'int 21h AH=09 write string "<img src=x onerror=alert(1)>\r\"" = done' \
	'int 10h AH=13 write string mode 01 row 20 column 0 "DONE" = done'
check "modes as they change" has calls.txt \
	'mode real -> protected at 0000:00007c70' 'mode protected -> real at 0000:00007c75'
check "a call that does not come back is shown" has calls.txt 'int 16h AH=00 read key ...'
check "each line has its time" sh -c '! grep -qvE "^ {0,5}[0-9]+\.[0-9]{6} " calls.txt'

same() # NAME ARGUMENTS...
{
	name=$1
	shift
	trace "$name.txt" "$@" && diff calls.txt "$name.txt"
}
check "the same without compiled code" same off --jit off
check "the same with all code compiled" same always --jit always
check "the same by a thread" same futex --channel futex
check "the same by a process" same process --channel process
check "on standard output by default" sh -c '"$0" trace --clock virtual --engine emu calls.bin --do "wait-text DONE" --do "sleep 100ms" --do quit >stdout.txt && cmp stdout.txt calls.txt' "$V2E"

check "--trace-file as JSON lines" trace calls.jsonl
check "each is an object with number, guest and host time, kind" jq -es \
	'length > 50 and all(type == "object" and (.seq|type) == "number" and (.ns|type) == "number" and (.host_ns|type) == "number" and (.kind|type) == "string") and
	 [.[].seq] == [range(length)] and .[0].kind == "start" and .[0].format == 1 and .[-1].kind == "end"' calls.jsonl
check "calls and returns belong together" jq -es \
	'([.[] | select(.kind == "return") | .call]) as $back | [.[] | select(.kind == "call") | .call] as $calls |
	 ($back - $calls == []) and (($calls - $back) | length == 2) and
	 any(.[]; .kind == "return" and .vector == 96 and .carry and (.ax % 65536) == 639)' calls.jsonl
check "a call by hand says so" jq -es 'any(.[]; .kind == "call" and .vector == 18 and (.by_int|not) and .cs == 0)' calls.jsonl
check "strings survive" jq -es 'any(.[]; .arguments == "\"<img src=x onerror=alert(1)>\\r\\\"\"")' calls.jsonl
check "changes of mode come with code" jq -es 'any(.[]; .kind == "mode" and .to == "protected" and (.code // "" | startswith("0f22c0")))' calls.jsonl
check "--trace-format wins over the name" sh -c '"$0" trace --clock virtual --engine emu -o x.txt --trace-format json calls.bin --do "wait-text DONE" --do quit && jq -e . x.txt' "$V2E"
check "also from another process" sh -c '"$0" trace --clock virtual --engine emu --channel process -o p.jsonl calls.bin --do "wait-text DONE" --do "sleep 100ms" --do quit &&
	jq -c "del(.host_ns)" p.jsonl >p && jq -c "del(.host_ns)" calls.jsonl >c && cmp p c' "$V2E"

check "memory is watched" trace mem.txt --trace mem:b8f9e+2
check "as it is written and read" has mem.txt \
	'mem write 000b8f9e.2 = 0741 at 0000:00007c7d' 'mem read  000b8f9e.1 = 41 at 0000:00007c84'
check "as JSON too" sh -c '"$0" trace --clock virtual --engine emu --trace mem:b8f9e+2 -o m.jsonl calls.bin --do "wait-text DONE" --do quit && jq -es "any(.[]; .kind == \"mem\" and .op == \"write\" and .address == 757662 and .value == 1857)" m.jsonl' "$V2E"
check "ports have their device's name" sh -c '"$0" trace --clock virtual --engine emu --trace io,irq calls.bin --do "wait-text DONE" --do quit >io.txt && grep -qE "io out 0020\.1 = 20 i8259" io.txt && grep -qE "i8259: IRQ 0 acknowledged, vector 08" io.txt && grep -qE "irq vector 08 at " io.txt' "$V2E"
check "instructions and blocks" sh -c '"$0" trace --clock virtual --engine emu --trace insn,block calls.bin --do "wait-text DONE" --do quit | grep -qE "0000:00007c70 mov cr0, eax "' "$V2E"

# Long mode is KVM's alone.
nasm -f bin -DONCE -o long.bin "$V2E_SRC/tests/gdb/long.asm"
long_mode_is_shown() # ENGINE
{
	timeout 60 "$V2E" trace --engine "$1" --cpu x86-64 --kernel long.bin --load-at 0x100000 --exit-port 0xf4 --trace switch -o long.jsonl
	[ $? -eq 67 ] || return 1
	jq -r 'select(.kind == "mode") | .from + " " + .to' long.jsonl >modes
	cat modes
	printf 'protected long\nlong protected\n' | cmp - modes && "$V2E" report -o long.html long.jsonl && grep -qF 'protected to long' long.html && grep -qF '<h1>long.bin</h1>' long.html
}
for engine in hybrid kvm; do
	if "$V2E" probe >probe 2>&1 && grep -Eq '^pm64 +(native|interpreted)' probe; then
		check "--engine $engine: long mode begins and ends" long_mode_is_shown $engine
	else
		skip "--engine $engine: long mode begins and ends" "KVM does not run it here"
	fi
done

# Names
# Each fifth byte in turn has all bits turned: an error in one line, or some names.
survives_flips()
{
	size=$(wc -c <calls.elf) at=0
	while [ $at -lt 400 ] && [ $at -lt "$size" ]; do
		cp calls.elf flip.elf
		byte=$(od -An -tu1 -j $at -N 1 calls.elf | tr -d ' ')
		printf "\\$(printf %o $((255 - byte)))" | dd of=flip.elf bs=1 seek=$at conv=notrunc 2>/dev/null
		printf '{"seq": 0, "ns": 0, "host_ns": 0, "kind": "end"}\n' | "$V2E" report --symbols flip.elf - >page.html 2>err
		status=$?
		{ [ $status -eq 0 ] || { [ $status -eq 2 ] && [ "$(wc -l <err)" -eq 1 ]; }; } || { echo "byte $at: status $status"; cat err; return 1; }
		at=$((at + 5))
	done
}

names() # WANTED SYMBOLS
{
	trace names.txt --symbols "$2" || return 1
	grep -F 'int 16h AH=00' names.txt
	grep -F ' -> protected at 0000:' names.txt
	grep -qF " -> protected at 0000:00007c70 <$1>" names.txt
}
check "names from a NASM map" names enter calls.map
sed 's/^org .*//; s/^\[map.*//' "$V2E_SRC/tests/cli/calls.asm" >elf.asm
nasm -f elf32 -o calls.o elf.asm
nasm -f elf64 -o calls64.o elf.asm
check "an ELF file is linked" ld -m elf_i386 -Ttext 0x7c00 -e 0 -o calls.elf calls.o -Map calls.ldmap
check "names from an ELF file" names enter calls.elf
check "names from an object file at an address" names enter calls.o@07c0:0000
check "of 64 bits as well" names enter calls64.o@07c0:0
check "or at a number" names enter calls.o@0x7c00
nm calls.elf >calls.nm
check "names from nm" names enter calls.nm
sed 's/^\([a-z_]*\):/global \1\n\1:/' elf.asm >global.asm
nasm -f elf32 -o global.o global.asm
ld -m elf_i386 -Ttext 0x7c00 -e 0 -o global.elf global.o -Map calls.ldmap
check "names from a map of GNU ld" names enter calls.ldmap
check "a call has the name of its place" grep -qE 'int 16h AH=00 read key from <leave\+[0-9a-f]+>' names.txt
printf '\372\364\353\375' >halt.bin
echo '00007c00 T start' >halt.nm
check "the disassembler has names too" sh -c 'printf "sleep 1s\ndisassemble 1\nquit\n" | "$0" run --clock virtual --engine emu --symbols halt.nm --floppy halt.bin --monitor stdio >out 2>&1; cat out; grep -qF "<start+2>" out' "$V2E"

# Broken files
printf '\177ELF' >short.elf
cp calls.elf cut.elf && truncate -s 300 cut.elf
head -c 52 calls.elf >far.elf && printf '\377\377\377\377' | dd of=far.elf bs=1 seek=32 conv=notrunc 2>/dev/null
strip -o bare.elf calls.elf
printf 'no symbols here\n' >prose.map
printf 'a\0b' >binary.map
for file in short cut far; do
	check "$file.elf is refused" refuses "$file.elf: is a broken ELF file" run --symbols $file.elf calls.bin
done
check "no symbols" refuses 'bare.elf: no symbols are in it' run --symbols bare.elf calls.bin
check "no map" refuses 'prose.map: no symbols are in it' run --symbols prose.map calls.bin
check "no text" refuses 'binary.map: is neither an ELF file nor text' run --symbols binary.map calls.bin
check "no file" refuses 'nowhere.elf: ' run --symbols nowhere.elf calls.bin
check "no address" refuses "'7c0:zz' is no address" run --symbols calls.map@7c0:zz calls.bin
check "any byte of an ELF file may be wrong" survives_flips

# Options
check "a range is wanted" refuses 'mem wants a range' run --trace mem calls.bin
for range in mem: mem:b8000 mem:b8000+ mem:b8000+0 mem:x+1 mem:ffffffff+2 mem:-1+2; do
	check "$range is no range" refuses "is no range; give physical address" run --trace $range calls.bin
done
check "a format wants a file" refuses 'there is no --trace-file' run --trace int --trace-format json calls.bin
check "a file wants a trace" refuses 'there is nothing to trace' run --trace-file x calls.bin
check "a bad place" refuses '--trace-file: /nowhere/x: ' run --trace int --trace-file /nowhere/x calls.bin
check "no such format" refuses "unknown format 'xml'" run --trace-format xml calls.bin
check "v2e trace has its own name" refuses 'v2e trace: ' trace --frob calls.bin
finish
