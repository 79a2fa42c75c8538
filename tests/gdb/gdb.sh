#!/bin/sh
# Debian's gdb drives a guest through real mode, a mode switch and protected mode.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/gdb/lib.sh"
cd "$tmp"

for tool in gdb nasm; do
	have $tool && continue
	skip "gdb drives a guest" "there is no $tool"
	finish
done
if ! timeout 60 "$V2E" run --clock virtual --do quit >err 2>&1 </dev/null; then
	skip "gdb drives a guest" "$(head -n 1 err)"
	finish
fi
for guest in modes kvm long; do
	nasm -f bin -o $guest.bin -l $guest.lst "$V2E_SRC/tests/gdb/$guest.asm" || exit 1
done

# debug SCRIPT [OPTIONS OF v2e]: runs gdb's commands; output in out.
debug()
{
	script=$1
	shift
	rm -f gdb.sock
	timeout 120 "$V2E" run --clock virtual --engine emu --floppy modes.bin --gdb "unix:$tmp/gdb.sock" \
		--timeout 60s "$@" >v2e.out 2>&1 </dev/null &
	guest=$!
	awaits_file gdb.sock
	drive "$script"
	wait $guest
	status=$?
	cat out v2e.out
	return $status
}

scripted()
{
	script=$1
	shift
	debug "$script" && shows "$@"
}

check "the guest stands still at the reset vector" scripted 'info registers cs ip eip
x/i $pc
show architecture
kill' "cs             0xf000" "ip             0xfff0" "eip            0xfffffff0" "=> 0xfffffff0:	ljmp" i8086

check "a breakpoint in real mode, and steps" scripted 'break *0x7c00
continue
x/i $pc
stepi
stepi
x/i $pc
kill' "Breakpoint 1, 0x00007c00" "=> 0x7c00:	cli" "=> 0x7c03:	mov    %ax,%ds"

int=$(at 'int 0x10')
check "a step goes into INT" scripted "break *$int
continue
stepi
info registers cs_base
kill" "cs_base        0xc0000"
check "a step goes over INT when told to" scripted "monitor step-int over
break *$int
continue
stepi
x/i \$pc
kill" "=> $(at 'mov bx, 0x5678'):	mov    \$0x5678,%bx"

check "monitor breakpoints are seg:off" scripted 'monitor break 0700:0c00
continue
x/i $pc
kill' "v2e: breakpoint 1, 0700:0c00" "=> 0x7c00:	cli"

check "break on INT n with an AH" scripted "tbreak *0x7c00
continue
monitor break-int 10 0e
continue
p/x \$ax
monitor mode
kill" "v2e: interrupt 10, ax=0e78" "= 0xe78"

switch=$(at 'jmp 8:protected')
back=$(at 'jmp 0:back')
check "break on mode switch, and a step through it" scripted "tbreak *0x7c00
continue
monitor break-mode
continue
p/x \$cr0
stepi
unset tdesc filename
show architecture
x/i \$pc
continue
unset tdesc filename
show architecture
monitor mode
kill" "mode real -> pm16, next is 0000:0000${switch#0x}" "= 0x11" '(currently "i386")' \
	"=> $(at 'mov ax, 16'):	mov    \$0x10,%ax" "mode pm16 -> real, next is 0018:0000${back#0x}" \
	'(currently "i8086")'

check "breakpoints, registers and tables in protected mode" scripted "source $V2E_SRC/gdb/v2e.gdb
break *$(at 'mov dword [counter], 2')
continue
show architecture
p/x \$ecx
x/xw 0x100000
monitor gdt
set var \$ebx = 0x12345678
stepi
p/x \$ebx
kill" '(currently "i386")' "= 0xcafebabe" "0x100000:	0xcafebabe" "0008 code32" "0018 code16" "= 0x12345678"

check "hardware breakpoints, and watchpoints that see reads" scripted "hbreak *0x7c00
continue
rwatch *(unsigned short *)$(at 'gdtr:')
continue
x/i \$pc
kill" "Hardware assisted breakpoint 1 at 0x7c00" "Breakpoint 1, 0x00007c00" "Hardware read watchpoint 2" "=> $(at 'mov eax, cr0'):"

check "the memory map is told, and tables are shown" scripted 'tbreak *0x7c00
continue
info mem
monitor ivt 10
monitor pagetable
monitor help
kill' "0x00000000 0x000e0000 rw" "0x000e0000 0x00100000 ro" "10 c000:" "paging is off" "break-mode"

check "a watchpoint holds across both switches" scripted "tbreak *0x7c00
continue
watch *(unsigned *)$(at 'counter: dd 0')
continue
continue
continue
monitor mode
kill" "New value = 1" "New value = 2" "New value = 3" "real 0000:"

check "registers and memory are written" scripted 'tbreak *0x7c00
continue
set var *(unsigned char *)0x500 = 0x5a
set $eax = 0x1111
stepi
x/xb 0x500
p/x $eax
stepi
p/x $eax
kill' "0x500:	0x5a" "= 0x1111" "= 0x0"

check "a debugger may leave" scripted 'break *0x7c00
continue
detach' "Breakpoint 1" detached

for channel in futex process; do
	if timeout 60 "$V2E" run --clock virtual --engine emu --channel $channel --do quit >err 2>&1 </dev/null; then
		check "a watchpoint holds over --channel $channel" debug "tbreak *0x7c00
continue
watch *(unsigned *)$(at 'counter: dd 0')
continue
continue
kill" --channel $channel
		check "and finds what it watches" shows "New value = 1" "New value = 2"
	else
		skip "a watchpoint holds over --channel $channel" "$(head -n 1 err)"
	fi
done

# With a breakpoint the guest goes from KVM to the emulator, and back without.
takes_over_from_kvm()
{
	rm -f gdb.sock serial transitions.csv
	timeout 120 "$V2E" run --engine hybrid --floppy kvm.bin --exit-port 0xf4 --serial file:serial --gdb "unix:$tmp/gdb.sock" \
		--gdb-nowait --transitions transitions.csv >v2e.out 2>&1 </dev/null &
	guest=$!
	awaits_file serial
	spin=$(at 'spin:' kvm.lst)
	counter=$(at 'counter:' kvm.lst)
	drive "monitor mode
tbreak *$spin
continue
p *(unsigned *)$counter > 1000
set var \$before = *(unsigned *)$counter
stepi
p *(unsigned *)$counter - \$before
set var *(unsigned char *)$(at 'finish:' kvm.lst) = 1
continue"
	wait $guest
	status=$?
	cat out v2e.out transitions.csv
	[ $status -eq 67 ] && shows "pm32 0008:" "breakpoint 1, 0x0000" '$1 = 1' '$2 = 1' 'exited with code' &&
		[ "$(awk -F, -v low=$((spin)) 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			$(at["linear"]) >= low && $(at["linear"]) < low + 32 { print $(at["from"]) "-" $(at["to"]) }' transitions.csv |
			tail -n 2 | tr '\n' ' ')" = "kvm-emu emu-kvm " ]
}
if "$V2E" probe >probe 2>&1; then
	check "a breakpoint takes the guest from KVM to the emulator" takes_over_from_kvm
else
	skip "a breakpoint takes the guest from KVM to the emulator" "$(head -n 1 probe)"
fi

# long_mode SCRIPT: gdb comes to a guest that is in long mode. KVM alone runs that.
long_mode()
{
	rm -f gdb.sock serial
	timeout 60 "$V2E" run --cpu x86-64 --engine hybrid --kernel long.bin --load-at 0x100000 --exit-port 0xf4 --serial file:serial \
		--gdb "unix:$tmp/gdb.sock" --gdb-nowait >v2e.out 2>&1 </dev/null &
	guest=$!
	awaits_file serial
	drive "$1"
	wait $guest
	status=$?
	cat out v2e.out
	[ $status -eq 67 ]
}

long_mode_is_shown()
{
	finish=$(label finish:)
	long_mode "show architecture
p/x \$rbx
p/x \$r15
p/x (unsigned long long)\$rip >> 8
x/i $high$(label spin:)
p/x *(unsigned char *)0x100000
monitor mode
monitor gdt
monitor pagetable
set var \$r14 = 0x123456789abcdef0
p/x \$r14
set var \$before = (unsigned long long)\$rip
stepi
p (unsigned long long)\$rip == \$before
break *0x$(label narrow:)
set var *(unsigned char *)0x$finish = 1
continue" && shows '(currently "i386:x86-64")' '= 0x1122334455667788' '= 0xffffffff11111111' '= 0xffffff80001000' "	inc    %rcx" \
		'= 0xfa' 'pm64 0008:ffffff80001000' '0008 code64' 'ffffff8000000000-ffffff80001fffff -> 000000000 rw supervisor' \
		'= 0x123456789abcdef0' 'there are no steps in long mode' '= 1' 'are not seen in long mode' 'exited with code 0103'
}

# label NAME: in long.lst, at 1 MiB.
high=0xffffff8000
label() { printf '%x\n' $((0x100000 + 0x$(grep -F -e "$1" long.lst | head -n 1 | awk '{ print $2 }'))); }

if "$V2E" probe >probe 2>&1 && grep -Eq '^pm64 +(native|interpreted)' probe; then
	check "long mode has its registers, memory and tables, and says what it has not" long_mode_is_shown
else
	skip "long mode has its registers, memory and tables" "KVM does not run it here: $(grep -E '^(KVM|pm64)' probe | tr '\n' ' ')"
fi

check "--gdb-nowait lets the guest run" timeout 60 "$V2E" run --clock virtual --engine emu --floppy modes.bin \
	--gdb "unix:$tmp/idle.sock" --gdb-nowait --do 'sleep 1s' --do 'quit 0'
# refuses TEXT COMMAND...: status 2, and the text.
refuses()
{
	text=$1
	shift
	"$@" >err 2>&1
	status=$?
	cat err
	[ $status -eq 2 ] && grep -qF -e "$text" err
}
check "a place that is none is refused" refuses "is no place for a debugger" timeout 20 "$V2E" run --gdb nowhere
for what in switch int block insn mem:0+1 io,insn; do
	check "--trace $what beside it, on KVM alone, is refused" refuses "with KVM alone both stop the guest" timeout 20 "$V2E" run --gdb 1234 --engine kvm --trace $what
done
# Others are not by steps; and what steps KVM in a hybrid is the trace, as the debugger has the emulator.
traces_beside()
{
	nasm -f bin -DONCE -o once.bin "$V2E_SRC/tests/gdb/long.asm" || return 1
	timeout 60 "$V2E" trace --cpu x86-64 --kernel once.bin --load-at 0x100000 --exit-port 0xf4 --gdb "unix:$tmp/trace.sock" --gdb-nowait "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq 67 ]
}
if grep -Eq '^pm64 +(native|interpreted)' probe; then
	check "--trace io beside it, on KVM alone" traces_beside --engine kvm --trace io
	check "...shows what it should" shows "io out 03f8.1 = 4c"
	check "--trace insn beside it, in a hybrid" traces_beside --engine hybrid --trace insn
	check "...shows what KVM runs" shows "mov edi, 0x1000" "rep stosd"
else
	skip "traces beside a debugger on KVM" "KVM does not run the guest here"
fi

finish
