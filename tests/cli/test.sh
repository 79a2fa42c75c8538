#!/bin/sh
# v2e test: tests that pass, fail, take too long, take too much and crash; what is
# said of bad files; reports; runs spread by GNU parallel.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"

boot_sector() { printf "$2" >"$1"; }

# ends STATUS ARGS...: output in out and err.
ends()
{
	want=$1
	shift
	timeout 120 "$V2E" test "$@" >out 2>err </dev/null
	status=$?
	cat out err
	[ $status -eq "$want" ] || { echo "status $status, not $want"; return 1; }
}

# says FILE 'WORD|WORD...': the file has all of these.
says()
{
	file=$1 saved=$IFS IFS='|'
	set -f
	for word in $2; do
		grep -qF -e "$word" "$file" || { IFS=$saved; set +f; echo "no word '$word'"; return 1; }
	done
	IFS=$saved
	set +f
}

# outcome STATUS 'WORD|...' ARGS...: status and report.
outcome()
{
	want=$1 words=$2
	shift 2
	ends "$want" "$@" && says out "$words"
}

# usage 'WORD|...' ARGS...: nothing is run, standard error has one line.
usage()
{
	words=$1
	shift
	ends 2 "$@" && says err "$words" || return 1
	[ ! -s out ] && [ "$(wc -l <err)" -eq 1 ]
}

# v2etest NAME: writes NAME.v2etest from standard input.
v2etest() { cat >"$1.v2etest"; }

# bad 'WORD|...': a test file on standard input is refused.
bad()
{
	cat >bad.v2etest
	check "refused: $1" usage "$1" bad.v2etest
}

boot_sector spin.bin '\353\376'                        # jmp $
boot_sector exit.bin '\260\005\346\364\353\376'        # mov al,5; out F4h,al
boot_sector serial.bin '\276\020\174\272\370\003\374\254\204\300\164\376\356\353\370\000Hi!\r\n\000'
boot_sector graphics.bin '\270\023\000\315\020\270\000\240\216\300\061\377\271\100\001\260\017\374\363\252\372\364'

mkdir good
for sector in spin exit serial graphics; do cp $sector.bin good; done
v2etest good/text <<'END'
[machine]
image=spin.bin
[expect]
text=Booting from Floppy
END
v2etest good/exit <<'END'
[test]
description=The exit port
[machine]
image=exit.bin
exit-port=0xf4
[expect]
status=11
END
v2etest good/serial <<'END'
[machine]
floppy=serial.bin
[steps]
wait=wait-serial Hi! 20s
[expect]
serial=Hi!\r\n
no-serial=Ho!
registers=cs=0; eip=0x7c00..0x7dff; cr0&1=0
memory=0x7c10: 48 69 ?? 0d; 07c0:0000: be10
mode=real
[expect after wait]
serial=Hi!
[expect at 500ms]
text=SeaBIOS
END
if ! ends 0 good/text.v2etest >/dev/null; then
	skip "everything" "$(cat out err | head -n 4 | tail -n 2)"
	finish
fi

# --- passing -----------------------------------------------------------------------
check "tests of a folder pass" outcome 0 '1..3|ok 1 - good/exit|ok 2 - good/serial|ok 3 - good/text|# 3 passed, 0 failed' good
check "...and leave nothing" test ! -e v2e-artefacts
check "--keep leaves the artefacts" outcome 0 '1 passed' --keep good/serial.v2etest
has_artefacts()
{
	for file in screen.png screen.txt serial.log log.txt transitions.txt registers.txt disassembly.txt result.ini; do
		[ -e "$1/$file" ] || { echo "no $file"; return 1; }
	done
}
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

# --- failing -----------------------------------------------------------------------
mkdir fails
cp -- *.bin fails
v2etest fails/text <<'END'
[test]
name=no #1 text
[machine]
image=spin.bin
[limits]
guest-time=1s
[expect]
text=Never
END
sed -i 's/ #1//' fails/text.v2etest
v2etest fails/all <<'END'
[machine]
image=serial.bin
[steps]
wait=wait-serial Hi!
[expect]
text=Never
no-text=SeaBIOS
serial=Ho!
no-serial=Hi!
registers=cs=0x1234
memory=0x7c10: 00; 0xfee00000: 00
mode=pm32
min-transitions=1000000
max-transitions=1000001
protected-within=1ns
status=3
END
v2etest fails/step <<'END'
[machine]
image=spin.bin
[steps]
never=wait-text Never 100ms
[expect after never]
text=Never
END
v2etest fails/exit <<'END'
[machine]
image=exit.bin
exit-port=0xf4
[steps]
never=wait-text Never
END
v2etest fails/late <<'END'
[machine]
image=spin.bin
[limits]
guest-time=1s
[expect at 3s]
text=Never
END
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

# --- pictures --------------------------------------------------------------------------
v2etest picture <<'END'
[machine]
image=graphics.bin
[steps]
draw=sleep 1s
still=wait-stable 300ms
[expect]
screen=picture.png
END
check "no reference picture" outcome 1 'picture.png: No such file|--update' picture.v2etest
check "--update makes it" outcome 0 'ok 1 - picture|written: ' --update picture.v2etest
check "...so that it passes" outcome 0 'ok 1 - picture' picture.v2etest
check "...and is not written again" outcome 0 'ok 1 - picture' --update picture.v2etest
not_written() { ! grep written: out; }
check "...indeed" not_written
# Another picture: the row of white pixels is half as long.
boot_sector graphics.bin '\270\023\000\315\020\270\000\240\216\300\061\377\271\240\000\260\017\374\363\252\372\364'
check "another picture" outcome 1 'screen: |picture.png: 160 pixels differ, by up to 255, between 160,0 and 319,0' picture.v2etest
check "...leaves the reference and the difference" test -s v2e-artefacts/picture/reference.png -a -s v2e-artefacts/picture/difference.png
adjust() { { cat picture.v2etest; echo "$1"; } >adjusted.v2etest; }
for rule in pixels=160 tolerance=255 'ignore=0,5,9,9;160,0,160,1' mask=black.png; do
	adjust "$rule"
	[ "$rule" = mask=black.png ] && {
		# An all black screen of the same size: mode 13h and nothing else.
		boot_sector black.bin '\270\023\000\315\020\372\364'
		sed 's/graphics.bin/black.bin/; s/picture.png/black.png/' picture.v2etest >black.v2etest
		ends 0 --update black.v2etest >/dev/null
	}
	check "$rule lets it pass" outcome 0 'ok 1 - adjusted' adjusted.v2etest
done
for rule in pixels=159 tolerance=254 'ignore=161,0,160,1'; do
	adjust "$rule"
	check "$rule does not" outcome 1 'differ' adjusted.v2etest
done
rm -rf v2e-artefacts

# --- engines ---------------------------------------------------------------------------
v2etest good/two <<'END'
[test]
engines=emu;auto
[machine]
image=spin.bin
[steps]
boot=wait-text Booting 20s
still=wait-stable 300ms
END
check "a test on two engines" outcome 0 '1..3|ok 1 - good/two [emu]|ok 2 - good/two [auto]|ok 3 - good/two [emu = auto]' good/two.v2etest
check "--engines wins" outcome 0 '1..1|ok 1 - good/two [emu]' --engines emu good/two.v2etest
check "--engines names each once" usage '--engines|twice' --engines emu,emu good
check "an engine that there is not" usage 'unknown engine|fast' --engines fast good/two.v2etest
if [ -w /dev/kvm ]; then
	check "--engines emu,hybrid" outcome 0 'ok 3 - good/text [emu = hybrid]' --engines emu,hybrid good/text.v2etest
	if have nasm; then
		nasm -f bin -o count.bin "$V2E_SRC/tests/gdb/kvm.asm"
		v2etest count <<'END'
[test]
engines=hybrid
[machine]
floppy=count.bin
[steps]
counts=wait-serial S 100s
more=sleep 1s
[expect after more]
mode=pm32
registers=cs=8; ebx=5000..0xffffffff
END
		check "what KVM has done is seen" outcome 0 'ok 1 - count [hybrid]' count.v2etest
		rm -f count.v2etest
	else
		skip "what KVM has done is seen" "no nasm"
	fi
else
	skip "--engines emu,hybrid" "no /dev/kvm"
fi
rm -f good/two.v2etest

# --- samples ---------------------------------------------------------------------------
if have nasm; then
	mkdir images
	for name in hello exit switch; do
		nasm -f bin -o images/$name.bin "$V2E_SRC/tests/boot/$name.asm"
	done
	nasm -f bin -DSTAY -o images/stay.bin "$V2E_SRC/tests/boot/switch.asm"
	check "the samples pass" outcome 0 '# 4 passed' --images images "$V2E_SRC/tests/samples"
	repeats()
	{
		for n in 1 2; do
			ends 0 --keep --images images "$V2E_SRC/tests/samples/switch.v2etest" >/dev/null || return 1
			cat v2e-artefacts/*/result.ini v2e-artefacts/*/transitions.txt v2e-artefacts/*/registers.txt >run$n
		done
		cmp run1 run2
	}
	check "...and repeat to the last instruction" repeats
else
	skip "the samples" "no nasm (Debian: apt install nasm)"
fi

# --- reports -----------------------------------------------------------------------------
mixed='good fails'
tap_is_sound()
{
	awk '/^TAP version 13$/ && NR == 1 { version = 1 }
	     /^1\.\./ { plan = substr($1, 4) }
	     /^(not )?ok / { n++; if ($($1 == "not" ? 3 : 2) != n) bad = 1; next }
	     !/^#/ && NR > 2 { bad = 1 }
	     END { exit !(version && plan == n && n == 8 && !bad) }' "$1"
}
# shellcheck disable=SC2086
check "a mixed run fails" outcome 1 '# 3 passed, 5 failed, 0 not run' --junit report.xml $mixed
check "TAP is sound" tap_is_sound out
# shellcheck disable=SC2086
check "--tap writes a file" ends 1 --tap report.tap $mixed
check "...the same" tap_is_sound report.tap
xml_is_sound()
{
	if have xmllint; then
		xmllint --noout "$1"
	else
		python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1"
	fi
}
if have xmllint || have python3; then
	check "JUnit XML is well-formed" xml_is_sound report.xml
else
	skip "JUnit XML is well-formed" "no xmllint (Debian: apt install libxml2-utils)"
fi
cases() { [ "$(grep -c '<testcase ' report.xml)" -eq 8 ] && [ "$(grep -c '<failure ' report.xml)" -eq 5 ]; }
check "...and has every test" cases
check "...and the sums" says report.xml 'tests="8" failures="5" errors="0" skipped="0"'
# A guest that sends all there is to say on the serial port: 0 to 255, and again.
boot_sector bytes.bin '\272\370\003\060\300\356\376\300\165\373\353\376'
v2etest bytes <<'END'
[machine]
image=bytes.bin
[limits]
guest-time=2s
[expect]
serial=<&>"]]>
END
check "any byte may come over the serial port" outcome 1 'not ok' --junit bytes.xml bytes.v2etest
check "...and XML stays well-formed" xml_is_sound bytes.xml
check "a report that cannot be written" usage '--junit|/nonexistent/x' --junit /nonexistent/x good
if have script; then
	on_terminal()
	{
		script -qec "'$V2E' test good" /dev/null </dev/null >typescript
		cat typescript
		grep -q 'of 3 done, 0 failed' typescript
	}
	check "a terminal shows the progress" on_terminal
else
	skip "a terminal shows the progress" "no script"
fi
rm -rf v2e-artefacts

# --- many machines -------------------------------------------------------------------------
if have parallel; then
	spread()
	{
		"$V2E" test --list $1 | PARALLEL_HOME=$tmp/parallel parallel --will-cite -j 2 --joblog joblog --halt never \
			"'$V2E' test -j 1 --artefacts spread --tap {#}.tap --junit {#}.xml {}"
		status=$?
		cat joblog
		return $status
	}
	check "GNU parallel, all pass" spread good
	spread_all() { spread "$mixed"; [ $? -eq 5 ]; }
	check "GNU parallel counts those that fail" spread_all
	check "...and keeps their artefacts apart" test -s spread/fails_all/screen.png -a -s spread/no_text/screen.png
else
	skip "GNU parallel" "not there (Debian: apt install parallel)"
fi

# --- bad command lines -------------------------------------------------------------------
check "no test is named" usage 'no test is named'
check "no such file" usage 'nothing.v2etest: No such file' nothing.v2etest
mkdir empty
check "a folder without tests" usage 'empty: no file|.v2etest' empty
check "an unknown option" usage 'unknown option --egnines; did you mean --engines' --egnines emu
check "--shard is I/N" usage '--shard|1/4' --shard 3 good
check "--shard is within" usage '--shard|out of range' --shard 5/4 good
check "-j is a number" usage '--jobs|not a number' -j many good
check "--images is a folder" usage '--images|no folder' --images spin.bin good
mkdir -p mine/good_exit
echo precious >mine/good_exit/file
check "a folder that is not ours is left alone" outcome 1 "is there, but is no test's folder" --artefacts mine good/exit.v2etest
check "...indeed" grep -q precious mine/good_exit/file
cp good/exit.v2etest good/exit2.v2etest
sed -i 's/^description.*/name=good_text/' good/exit2.v2etest
check "two tests of one name" usage "too much like" good
rm good/exit2.v2etest
all_bad()
{
	printf '[tset]\n' >bad1.v2etest
	printf '[machine]\nimage=none.bin\n' >bad2.v2etest
	ends 2 bad1.v2etest good bad2.v2etest && [ "$(wc -l <err)" -eq 2 ]
}
check "all bad files are named at once" all_bad

# --- bad test files ------------------------------------------------------------------------
base='[machine]
image=spin.bin
'
bad "bad.v2etest:tset:1: unknown group 'tset'; did you mean test" <<END
[tset]
END
bad "bad.v2etest:1: 'image' stands before the first group" <<END
image=spin.bin
END
bad "bad.v2etest:machine:3: 'spin.bin' is no key" <<END
${base}spin.bin
END
bad "bad.v2etest:1: '[machine' is no group" <<END
[machine
END
bad "bad.v2etest:machine:image:3: is there already, on line 2" <<END
${base}image=exit.bin
END
bad "bad.v2etest:machine:3: is there already, on line 1" <<END
${base}[machine]
END
bad "bad.v2etest: tests nothing" <<END
$base
END
bad "bad.v2etest:machine:image:2: none.bin: no such file in|--images" <<END
[machine]
image=none.bin
END
bad "bad.v2etest:machine:memroy:3: unknown option; did you mean memory" <<END
${base}memroy=16M
END
bad "bad.v2etest:machine:memory:3: 'lots' is not a size" <<END
${base}memory=lots
[expect]
text=x
END
bad "bad.v2etest:machine:snapshot:3: is a switch; write true or false" <<END
${base}snapshot=maybe
END
bad "bad.v2etest:machine:timeout:3: is not for tests; write guest-time in [limits]" <<END
${base}timeout=3s
END
bad "bad.v2etest:machine: |--exit-port: port 0x60 belongs to the keyboard" <<END
${base}exit-port=0x60
[expect]
text=x
END
bad "bad.v2etest:machine:floppy:3: has a |for a plain one" <<END
${base}floppy=a\\q
END
bad "bad.v2etest:limits:guest-time:4: '10' is not a time" <<END
${base}[limits]
guest-time=10
END
bad "bad.v2etest:steps:look:4: unknown command 'wiat-text'; did you mean wait-text" <<END
${base}[steps]
look=wiat-text x
END
bad "bad.v2etest:steps:look:4: there is no command" <<END
${base}[steps]
look=
END
bad "bad.v2etest:expect aftr x:3: no such group" <<END
${base}[expect aftr x]
text=x
END
bad "bad.v2etest:expect after lok:5: unknown step 'lok'; did you mean look" <<END
${base}[steps]
look=sleep 1s
[expect after lok]
text=x
END
bad "bad.v2etest:expect at 10000:0:3: |out of range" <<END
${base}[expect at 10000:0]
text=x
END
bad "bad.v2etest:expect at noon:3: 'noon' is not a time" <<END
${base}[expect at noon]
text=x
END
bad "bad.v2etest:expect at 1s:status:4: belongs to the end of the run" <<END
${base}[expect at 1s]
status=3
END
bad "bad.v2etest:expect:txet:4: unknown key 'txet'; did you mean text" <<END
${base}[expect]
txet=x
END
bad "bad.v2etest:expect:registers:4: unknown register 'axe'" <<END
${base}[expect]
registers=axe=1
END
bad "bad.v2etest:expect:registers:4: '9..1' is an empty range" <<END
${base}[expect]
registers=ax=9..1
END
bad "bad.v2etest:expect:memory:4: |no ': '" <<END
${base}[expect]
memory=0x7c00
END
bad "bad.v2etest:expect:memory:4: 'zz' is no byte" <<END
${base}[expect]
memory=0x7c00: zz
END
bad "bad.v2etest:expect:mode:4: 'fast' is no mode" <<END
${base}[expect]
mode=fast
END
bad "bad.v2etest:expect:tolerance:4: there is no picture" <<END
${base}[expect]
tolerance=3
END
bad "bad.v2etest:expect: screen: needs a step" <<END
${base}[expect]
screen=x.png
END
bad "bad.v2etest:expect:screen:4: 'x.gif' does not end with .png" <<END
${base}[expect]
screen=x.gif
END
bad "bad.v2etest:expect:min-transitions:5: is more than max-transitions" <<END
${base}[expect]
max-transitions=3
min-transitions=4
END
bad "bad.v2etest:compare:ignore:4: '1,2,3' is no rectangle" <<END
${base}[compare]
ignore=1,2,3
END
printf '\377\376' >bad.v2etest
check "refused: not UTF-8" usage 'bad.v2etest: is not UTF-8' bad.v2etest

finish
