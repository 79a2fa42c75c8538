#!/bin/sh
# v2e test: what is said of bad command lines and bad files.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp" || exit 1
. "$V2E_SRC/tests/cli/test-lib.sh"
need_a_guest

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
