#!/bin/sh
# gdb sees the same of a guest whichever engine runs it: real mode, both switches,
# protected mode. The guest has a BIOS of its own, so that an interpreting KVM runs it too.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/gdb/lib.sh"
cd "$tmp" || exit 1

for tool in gdb nasm; do
	have $tool && continue
	skip "gdb on each engine" "there is no $tool"
	finish
done
for source in modes kvm; do
	nasm -f bin -o $source.bin -l $source.lst "$V2E_SRC/tests/gdb/$source.asm" || exit 1
	nasm -f bin -o $source-rom.bin -dSECTOR="'$source.bin'" "$V2E_SRC/tests/gdb/rom.asm" || exit 1
done

# debug ENGINE SCRIPT TEXT...: carries out gdb's commands; each text is shown.
debug()
{
	engine=$1
	rm -f gdb.sock
	timeout 60 "$V2E" run --engine $engine --bios modes-rom.bin --gdb "unix:$tmp/gdb.sock" --timeout 50s >v2e.out 2>&1 </dev/null &
	guest=$!
	awaits_file gdb.sock
	drive "$2
kill"
	wait $guest
	cat out v2e.out
	shift 2
	shows "$@"
}

int=$(at 'int 0x10')
behind_int=$(at 'mov bx, 0x5678')
counter=$(at 'counter: dd 0')
to_pm=$(at 'jmp 8:protected')
pm=$(at 'mov ax, 16')
to_real=$(at 'jmp 0:back')
back=$(at 'back:')

# Six are more than a processor has.
many_breakpoints()
{
	debug $1 "break *0x7c00
break *$int
break *$to_pm
break *$pm
break *$to_real
break *$back
continue
continue
monitor mode
continue
continue
monitor mode
continue
continue
monitor mode" "Breakpoint 1, 0x00007c00" "Breakpoint 2, 0x0000${int#0x}" "Breakpoint 3, 0x0000${to_pm#0x}" \
		"Breakpoint 4, 0x0000${pm#0x}" "Breakpoint 5, 0x0000${to_real#0x}" "Breakpoint 6, 0x0000${back#0x}" \
		"real 0000:0000${int#0x}" "pm32 0008:0000${pm#0x}" "real 0000:0000${back#0x}"
}

# gdb sends Ctrl-C when it gets a signal, and stops a guest that is in a loop.
is_interrupted()
{
	rm -f gdb.sock serial
	timeout 60 "$V2E" run --engine $1 --bios kvm-rom.bin --exit-port 0xf4 --serial file:serial --gdb "unix:$tmp/gdb.sock" \
		--timeout 50s >v2e.out 2>&1 </dev/null &
	guest=$!
	awaits_file gdb.sock
	{
		awaits_file serial
		kill -INT "$(cat gdb.pid)"
	} &
	drive "python open('gdb.pid', 'w').write(str(__import__('os').getpid()))
continue
monitor mode
set var \$before = *(unsigned *)$(at 'counter:' kvm.lst)
tbreak *$(at 'spin:' kvm.lst)
continue
stepi
p *(unsigned *)$(at 'counter:' kvm.lst) - \$before <= 2
set var *(unsigned char *)$(at 'finish:' kvm.lst) = 1
continue"
	wait $guest
	status=$?
	cat out v2e.out
	[ $status -eq 67 ] && shows SIGINT "pm32 0008:" "reakpoint 1, 0x0000" '$1 = 1' "exited with code"
}

all()
{
	check "$1: steps in real mode, from the reset vector on" debug $1 'stepi
tbreak *0x7c00
continue
x/i $pc
stepi
stepi
x/i $pc' "0x000f0000 in" "breakpoint 1, 0x00007c00" "=> 0x7c03:	mov    %ax,%ds"
	check "$1: a step into INT" debug $1 "break *$int
continue
stepi
info registers cs_base" "cs_base        0xf0000"
	check "$1: a step over INT" debug $1 "monitor step-int over
break *$int
continue
stepi
x/i \$pc" "=> $behind_int:	mov    \$0x5678,%bx"
	check "$1: INT n, by function" debug $1 'monitor break-int 10 0e
continue
monitor mode
p/x $ah' "v2e: interrupt 10, ax=0e78" "real f000:" "= 0xe"
	check "$1: INT n, another function" debug $1 "monitor break-int 10 0f
tbreak *$behind_int
continue" "breakpoint 1, 0x0000${behind_int#0x}"
	check "$1: changes of mode" debug $1 "monitor break-mode
continue
continue
monitor mode" "mode real -> pm16, next is 0000:0000${to_pm#0x}" "mode pm16 -> real, next is 0018:0000${to_real#0x}" "real 0018:0000${to_real#0x}"
	check "$1: steps through the switch" debug $1 "source $V2E_SRC/gdb/v2e.gdb
break *$to_pm
continue
stepi
show architecture
x/i \$pc
tbreak *$to_real
continue
stepi
show architecture
monitor mode" '(currently "i386")' "=> $pm:	mov    \$0x10,%ax" '(currently "i8086")' "real 0000:0000${back#0x}"
	check "$1: registers and memory in protected mode" debug $1 "break *$(at 'mov dword [counter], 2')
continue
p/x \$ecx
x/xw 0x100000
set var \$ebx = 0x12345678
set var *(unsigned *)0x100000 = 0xfeedc0de
stepi
p/x \$ebx
x/xw 0x100000
monitor gdt" "= 0xcafebabe" "0x100000:	0xcafebabe" "= 0x12345678" "0x100000:	0xfeedc0de" "0008 code32"
	check "$1: a watchpoint across both switches" debug $1 "watch *(unsigned *)$counter
continue
continue
continue
monitor mode" "New value = 1" "New value = 2" "New value = 3" "real 0000:"
	check "$1: a watchpoint for reads" debug $1 "rwatch *(unsigned short *)$(at 'gdtr:')
continue
x/i \$pc" "=> $(at 'mov eax, cr0'):"
	check "$1: more breakpoints than a processor has" many_breakpoints $1
	check "$1: a loop is interrupted" is_interrupted $1
}

all emu
for engine in hybrid kvm; do
	timeout 20 "$V2E" run --engine $engine --bios modes-rom.bin --gdb "unix:$tmp/probe.sock" --gdb-nowait --do 'quit 0' >err 2>&1 </dev/null
	status=$?
	if [ $status -eq 2 ]; then
		skip "gdb on $engine" "$(tail -n 1 err)"
	else
		check "gdb on $engine" [ $status -eq 0 ]
		all $engine
	fi
done
finish
