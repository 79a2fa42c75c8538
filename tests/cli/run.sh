#!/bin/sh
# Whole runs of tiny guests: how they end, what the commands do, what is said.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"

# boot_sector FILE 'BYTES': code that runs at 0000:7C00.
boot_sector() { printf "$2" >"$1"; }

# ends STATUS ARGS...: runs in virtual time, output in out and err.
ends()
{
	want=$1
	shift
	timeout 120 "$V2E" run --clock virtual "$@" >out 2>err </dev/null
	status=$?
	cat out err
	[ $status -eq "$want" ] || { echo "status $status, not $want"; return 1; }
}

# says 'TEXT' STATUS ARGS...: and standard error contains TEXT.
says()
{
	text=$1
	shift
	ends "$@" && grep -qF -e "$text" err
}

shows()
{
	text=$1
	shift
	ends "$@" && grep -qF -e "$text" out
}

if ! ends 0 --do quit >/dev/null; then
	skip "everything" "$(head -n 1 err)"
	finish
fi

boot_sector halt.bin '\372\364\353\375'                # cli; hlt
boot_sector spin.bin '\353\376'                         # jmp $
boot_sector exit.bin '\260\005\346\364\353\376'         # mov al,5; out F4h,al
boot_sector crash.bin '\017\001\036\000\175\314' # lidt [7D00h]; int3
# "Hi!" to COM1: mov si,7C12; mov dx,3F8; lodsb; test al,al; jz $; out dx,al; jmp
boot_sector serial.bin '\276\020\174\272\370\003\374\254\204\300\164\376\356\353\370\000Hi!\r\n\000'
# int 16h; int 10h teletype: echoes what is typed
boot_sector echo.bin '\061\300\315\026\264\016\273\007\000\315\020\353\363'
# mode 13h and a row of white pixels: no text
boot_sector graphics.bin '\270\023\000\315\020\270\000\240\216\300\061\377\271\100\001\260\017\374\363\252\372\364'

# --- how a run ends ------------------------------------------------------------
check "quit gives its status" ends 42 --do 'quit 42'
check "all commands done is 0" ends 0 spin.bin --do 'sleep 100ms'
check "a guest that halts for good ends the run" ends 0 halt.bin
check "...and commands still see its screen" shows 'Booting from Floppy' 0 halt.bin --do 'sleep 3s' --do 'screen-text -'
check "the exit port gives the status" ends 11 exit.bin --exit-port 0xf4
check "...commands or not" ends 11 exit.bin --exit-port 0xf4 --do 'wait-text never 60s'
check "--timeout fails the run and shows the screen" says 'Booting from Floppy' 1 spin.bin --timeout 2s
resets_board() { ends 1 crash.bin --timeout 3s --stats && grep -q '^resets [1-9]' err; }
check "a triple fault resets the board" resets_board
check "--timeout is named" says '--timeout: the run took longer than 2s' 1 spin.bin --timeout 2s

# --- commands --------------------------------------------------------------------
check "wait-text finds text" ends 0 spin.bin --do 'wait-text "Booting from Floppy" 10s'
check "wait-text times out" says '--do:1: wait-text Nothing 1s: not within 1s' 1 spin.bin --do 'wait-text Nothing 1s'
check "wait-stable" ends 0 spin.bin --do 'sleep 2s' --do 'wait-stable 500ms 2s'
check "wait-change sees what a key has done" ends 0 echo.bin --do 'wait-text Floppy 10s' --do 'sleep 200ms' --do 'keys a' --do 'wait-change 5s'
check "...and no more than that" says 'wait-change 1s: not within 1s' 1 spin.bin --do 'wait-text Floppy 10s' --do 'keys a' --do 'wait-change 1s'
check "wait-colours waits for a mode and a part of it" ends 0 graphics.bin --do 'wait-colours 2 0,0,320,2 5s' --do 'wait-colours 1 0,199,320,1'
check "...and says how many there are" says 'wait-colours 2 0,100,320,100 1s: not within 1s of guest time; there is 1;' 1 \
	graphics.bin --do 'sleep 2s' --do 'wait-colours 2 0,100,320,100 1s'
check "wait-serial finds output" ends 0 serial.bin --do 'wait-serial Hi! 10s'
check "wait-serial times out and shows the end" says 'Hi!' 1 serial.bin --do 'wait-serial Ho! 2s'
check "type reaches the guest" ends 0 echo.bin --do 'wait-text Floppy 10s' --do 'sleep 200ms' \
	--do 'type "Hello, <World>"' --do 'wait-text "Hello, <World>" 5s'
check "keys reach the guest" ends 0 echo.bin --do 'wait-text Floppy 10s' --do 'sleep 200ms' \
	--do 'keys abc<shift-d><lt>' --do 'wait-text "abcD<" 5s'
printf '# a script\nwait-text Floppy 10s\n\nsleep 50ms # a nap\nquit 3\n' >some.v2e
printf '\nwait-text Nowhere 1s\n' >lost.v2e
flushes()
{
	for channel in inline process; do
		ends 0 spin.bin --engine emu --channel $channel --stats --do 'wait-text Floppy 10s' --do flush --do 'sleep 100ms' &&
			grep -qx 'emu.cache_flushes 1' err || return 1
	done
}
check "flush drops what was made of the code" flushes
check "a cache of code that is no size" says "--jit-cache" 2 spin.bin --jit-cache 4K
check "a script file" ends 3 spin.bin --script some.v2e
check "a script that fails names its line" says "lost.v2e:2: wait-text Nowhere" 1 spin.bin --script lost.v2e

# --- pictures --------------------------------------------------------------------
picture()
{
	ends 0 "$@" && head -c 4 shot.png | grep -q PNG
}
check "screenshot of a text screen" picture spin.bin --do 'sleep 1s' --do 'screenshot shot.png'
check "screenshot of a graphics screen" picture graphics.bin --do 'sleep 2s' --do 'screenshot shot.png'
check "a screenshot that cannot be written fails" says '/nonexistent' 1 spin.bin --do 'sleep 1s' --do 'screenshot /nonexistent/x.png'
saves_picture()
{
	rm -f v2e-screen.png
	mkdir -p temporary
	TMPDIR=$tmp/temporary says 'graphics, saved in v2e-screen.png' 1 graphics.bin --do 'sleep 2s' --do 'wait-text x 100ms' &&
		[ "$(head -c 4 v2e-screen.png | tail -c 3)" = PNG ] && ! ls temporary/*
}
check "a failure in a graphics mode saves the picture" saves_picture
check "screen-text fails in a graphics mode" says 'no text in a graphics mode' 1 graphics.bin --do 'sleep 2s' --do 'screen-text -'

# --- ports -----------------------------------------------------------------------
check "--serial file:" ends 0 serial.bin --serial file:serial.txt --do 'wait-serial Hi! 10s'
check "...has what was sent" grep -q 'Hi!' serial.txt
check "--serial stdio" shows 'Hi!' 0 serial.bin --serial stdio --do 'wait-serial Hi! 10s'
check "--debugcon FILE" ends 0 spin.bin --debugcon 0x402:bios.log --do 'wait-text Floppy 10s'
check "...has the firmware's log" grep -q SeaBIOS bios.log
check "--debugcon to standard output" shows SeaBIOS 0 spin.bin --debugcon 0x402:- --do 'wait-text Floppy 10s'
check "--log takes the messages" ends 0 halt.bin --log some.log
check "...all of them" grep -q 'halted for good' some.log
check "--stats" says 'insns ' 0 halt.bin --stats

# --- repeatable --------------------------------------------------------------------
repeats()
{
	for n in 1 2; do
		ends 0 echo.bin --stats --do 'wait-text Floppy 10s' --do 'type abc' --do 'wait-text abc 5s' \
			--do 'screenshot shot.png' || return 1
		mv err err$n
		mv shot.png shot$n.png
	done
	cmp err1 err2 && cmp shot1.png shot2.png
}
check "two runs in virtual time are the same" repeats

# --- signals ---------------------------------------------------------------------
# interrupted STATUS SIGNAL ARGS...: in real time, one second in
interrupted()
{
	want=$1 signal=$2
	shift 2
	timeout --preserve-status -s "$signal" 1 "$V2E" run spin.bin "$@" >out 2>err </dev/null
	status=$?
	cat err
	[ $status -eq "$want" ]
}
check "Ctrl-C ends a run without commands" interrupted 0 INT
check "SIGTERM ends a run without commands" interrupted 0 TERM
check "Ctrl-C fails a run whose commands are not done" interrupted 1 INT --do 'sleep 1h'
check "...and says so" grep -q 'sleep 1h: interrupted by a signal' err

# --- the emulator's own process --------------------------------------------------
is_gone() { ! grep -q '^State:	[^ZX]' "/proc/$1/status"; }

# start_process: in $pid and $child; the guest runs.
start_process()
{
	rm -f says
	"$V2E" run spin.bin --engine emu --channel process --debugcon 0x402:says --timeout 100s >out 2>err </dev/null &
	pid=$!
	comes grep -q SeaBIOS says
	child=$(tr -d ' ' </proc/$pid/task/$pid/children)
}
child_dies()
{
	start_process
	kill -9 "$child"
	wait $pid
	status=$?
	cat err
	[ $status -eq 2 ] && grep -q "^v2e: error: the engine's process $child was killed by signal 9 (Killed)\$" err
}
parent_dies()
{
	start_process
	kill -9 $pid
	wait $pid
	comes is_gone "$child"
}
is_shut_in()
{
	start_process
	cat "/proc/$child/status" >status
	ls "/proc/$child/fd" >fds
	kill -9 $pid
	wait $pid
	cat fds
	# Standard error, and memory: RAM, BIOS, VGA's ROM and its memory.
	grep -q '^NoNewPrivs:	1' status && [ "$(wc -l <fds)" -eq 5 ] &&
		{ grep -q 'built without libseccomp' err || grep -q '^Seccomp:	2' status; }
}
if [ -r /proc/self/task/$$/children ]; then
	check "the process of a channel that is killed ends the run" child_dies
	check "it does not outlive the one that is killed" parent_dies
	check "it has no files, and few system calls" is_shut_in
else
	skip "the emulator's own process" "this kernel does not list children"
fi

finish
