#!/bin/sh
# v2e test: tests that pass, fail, take too long, take too much and crash.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp" || exit 1
. "$V2E_SRC/tests/cli/test-lib.sh"
need_a_guest

# --- passing -----------------------------------------------------------------------
check "tests of a folder pass" outcome 0 '1..3|ok 1 - good/exit|ok 2 - good/serial|ok 3 - good/text|# 3 passed, 0 failed' good
check "...and leave nothing" test ! -e v2e-artefacts
check "--keep leaves the artefacts" outcome 0 '1 passed' --keep good/serial.v2etest
check "...all of them" has_artefacts v2e-artefacts/good_serial
check "...with the serial output" grep -q 'Hi!' v2e-artefacts/good_serial/serial.log
check "...with the screen" grep -q SeaBIOS v2e-artefacts/good_serial/screen.txt
check "...with the registers" grep -q '^cs.base 0000000000000000$' v2e-artefacts/good_serial/registers.txt
check "...with code at CS:IP" grep -q '^0000:00007c[0-9a-f]* ' v2e-artefacts/good_serial/disassembly.txt
sixty_four()
{
	lines=$(grep -c ' mode .* -> ' v2e-artefacts/good_serial/transitions.txt)
	[ "$lines" -eq 64 ]
}
check "...with the last 64 transitions" sixty_four
check "a pass removes them" outcome 0 '1 passed' good/serial.v2etest
check "...whole" test ! -e v2e-artefacts/good_serial
rm -rf v2e-artefacts

# The same output whatever the order in which they are done.
in_order()
{
	ends 0 -j 1 good && mv out one && ends 0 -j 3 good && cmp one out
}
check "-j keeps the order" in_order
check "--list names the files" outcome 0 'good/exit.v2etest|good/serial.v2etest|good/text.v2etest' --list good
parts()
{
	for n in 1 2; do
		ends 0 --shard $n/2 --list good >/dev/null || return 1
		cat out
	done | sort >parts
	"$V2E" test --list good | sort | cmp - parts
}
check "--shard parts them all" parts
check "--shard runs its part" outcome 0 '1..1|ok 1 - good/serial' --shard 2/2 good
check "an empty part passes" outcome 0 '1..0' --shard 9/9 good

# Another process that runs the same test there has the folder locked.
held()
{
	mkdir -p v2e-artefacts/good_serial
	flock v2e-artefacts/good_serial "$V2E" test "$@" >out 2>err </dev/null
	status=$?
	cat out err
	[ $status -eq 1 ] && says out 'not ok 1 - good/serial|good_serial: another v2e test is at this test|ok 2 - good/text'
}
check "a test that another process runs there is not run" held good/serial.v2etest good/text.v2etest
check "...and is when that is done" outcome 0 'ok 1 - good/serial' good/serial.v2etest

# --- failing -----------------------------------------------------------------------
failing_tests
check "a text that does not come" outcome 1 'not ok 1 - no text|not done within 1s|text: the screen does not show "Never"|artefacts:' fails/text.v2etest
check "...leaves artefacts" has_artefacts v2e-artefacts/no_text
check "...with the screen" grep -q 'Booting from Floppy' v2e-artefacts/no_text/screen.txt
check "every expectation can fail" outcome 1 'does not show "Never"|no-text:|serial: "Ho!"|no-serial:|registers: cs=0x1234 does not hold: cs is 0x0|memory: 0x7c10: 00 does not hold: there is 48|there is --|mode: the processor is in real, not pm32|min-transitions: |protected-within: |status: the run ended with exit status 0, not 3' fails/all.v2etest
v2etest fails/address <<'END'
[machine]
image=spin.bin
[limits]
guest-time=1s
[expect at 0000:7c00]
registers=dl=0x80; ip=0x7c00
[expect at 0x7c02]
mode=real
END
check "what holds at an address is judged there" outcome 1 'expect at 0000:7c00: registers: dl=0x80 does not hold: dl is 0x0' fails/address.v2etest
check "an address that is not reached" says out 'expect at 0x7c02: the run ended before this moment came'
rm fails/address.v2etest
check "a step that fails names its place" outcome 1 'fails/step.v2etest:steps:never:4: wait-text Never 100ms: not within 100ms|expect after never: the run ended' fails/step.v2etest
check "a guest that ends before the steps" outcome 1 'through the exit port' fails/exit.v2etest
check "a moment that does not come" outcome 1 'expect at 3s: the run ended before' fails/late.v2etest
mode_count()
{
	sed 's/min-transitions=.*/min-transitions=1/; s/max-transitions=.*/max-transitions=2/' fails/all.v2etest >fails/few.v2etest
	ends 1 fails/few.v2etest >/dev/null
	grep -q 'max-transitions: the processor changed its mode [0-9]* times, not at most 2' out
	status=$?
	rm fails/few.v2etest
	return $status
}
check "too many transitions" mode_count
rm -rf v2e-artefacts

# --- limits --------------------------------------------------------------------------
v2etest slow <<'END'
[machine]
image=spin.bin
[limits]
guest-time=1000h
host-time=1s
[steps]
nap=sleep 900h
END
v2etest large <<'END'
[machine]
image=spin.bin
memory=256M
[limits]
guest-time=1000h
memory=1M
[steps]
nap=sleep 900h
END
check "a test that takes too long" outcome 1 'not ok 1 - slow|took longer than 1s of the host' slow.v2etest
check "...leaves artefacts" has_artefacts v2e-artefacts/slow
check "a test that takes too much memory" outcome 1 'took more than 1 MiB' large.v2etest

# ill SIGNAL: sends it to the process of a test that runs.
ill()
{
	"$V2E" test slow.v2etest --host-time 20s --junit ill.xml >out 2>err </dev/null &
	runner=$!
	child=
	for n in 1 2 3 4 5 6 7 8 9 10; do
		child=$(ps -o pid= --ppid $runner | tr -d ' ')
		[ -n "$child" ] && break
		sleep 0.1
	done
	sleep 0.3
	kill -"$1" "$child"
	wait $runner
	status=$?
	cat out err
	[ $status -eq 1 ]
}
# Sanitizers would catch SIGSEGV.
check "a test that crashes" ill ABRT
check "...is told from one that fails" says out 'not ok 1 - slow|v2e crashed: Aborted|artefacts:'
check "...also in JUnit" says ill.xml 'errors="1"|<error type="broken"'
check "a test that hangs is killed" ill STOP
check "...and says so" says out 'took longer than 1s of the host'

interrupted()
{
	timeout -s INT 1 "$V2E" test -j 1 slow.v2etest good >out 2>err --host-time 60s </dev/null
	cat out err
	says out 'not ok 1 - slow|SKIP not run|# 0 passed, 1 failed, 3 not run'
}
sed -i 's/host-time=1s/host-time=50s/' slow.v2etest
check "Ctrl-C ends what runs and leaves the rest" interrupted
rm -rf v2e-artefacts

finish
