#!/bin/sh
# The same machine over each channel: in virtual time every one of them has to
# give the same picture after the same number of instructions.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need /usr/share/seabios/bios.bin seabios
need nasm nasm
if [ "${V2E_CLOCK:-virtual}" = real ]; then
	skip channels.sh "the clock is real"
	finish
fi
assemble hello && image hello 1M || exit 1

# counts FILE: what --stats says of the guest.
counts()
{
	grep -E '^(guest-ns|insns|blocks|resets|stop-[a-z]+|emu\.[a-z_]+) [0-9]+$' "$1"
}

same()
{
	counts err >stats-$1
	cmp stats-inline stats-$1 && cmp inline.png $1.png && cmp log-inline log-$1
}

# boots CHANNEL: SeaBIOS to its last message, then the same on the sector of a disk.
boots()
{
	guest --channel $1 --stats --debugcon 0x402:log-$1 \
		--do 'wait-text "No bootable device" 60s' --do "screenshot $1.png" --do quit
}

check "inline" boots inline
check "millions of instructions were counted" sh -c 'grep -E "^insns [0-9]{7,}$" err'
counts err >stats-inline
for channel in futex eventfd process; do
	check "SeaBIOS with $channel" boots $channel
	check "$channel: counts, picture and log are those of inline" same $channel
done
check "a boot sector with process" \
	guest --channel process --snapshot --disk "$payloads/hello-1M.img" --do 'wait-text "Hello from drive 80h" 60s' --do quit
check "traces come from the other process" \
	guest --channel process --trace irq --log trace --timeout 60s --do 'wait-text "No bootable device" 60s' --do quit
check "there are some" grep -q '^irq vector 08 at ' trace

# The process in mid-run is killed: status 2, and it says why.
runs_and_is_killed()
{
	"$V2E" run --engine emu --clock real --channel process --debugcon 0x402:mark --timeout 600s >out 2>err &
	pid=$!
	tries=0
	until child=$(cat /proc/$pid/task/$pid/children 2>/dev/null) && [ -n "$child" ] && grep -q 'SeaBIOS' mark 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { kill $pid; return 1; }
		sleep 0.1
	done
	kill -9 $child
	wait $pid
	status=$?
	cat err
	[ $status -eq 2 ] && grep -q 'was killed by signal 9 (Killed)' err
}
if [ -r /proc/self/task/$$/children ] || [ -r /proc/$$/task/$$/children ]; then
	check "the process is killed in mid-run" runs_and_is_killed
else
	skip "the process is killed in mid-run" "/proc does not list children"
fi
finish
