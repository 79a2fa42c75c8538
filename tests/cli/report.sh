#!/bin/sh
# v2e report: what it makes of good and bad recordings; the page in a browser.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"

report() # FILE ARGUMENTS...: page.html
{
	"$V2E" report -o page.html "$@"
}

has()
{
	for text; do
		grep -qF -e "$text" page.html || { echo "not there: $text"; return 1; }
	done
}

has_not()
{
	for text; do
		! grep -nF -e "$text" page.html || { echo "there: $text"; return 1; }
	done
}

refuses() # 'TEXT' FILE
{
	timeout 60 "$V2E" report "$2" >out 2>err
	status=$?
	head -n 5 err
	[ $status -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] && grep -qF -e "$1" err
}

# A recording by hand: one of each kind, with all that HTML and JSON could mind.
evil='</script><script>document.title=1</script><img src=http://x.invalid/ onerror=alert(1)>&\"'
cat >evil.jsonl <<END
{"seq": 0, "ns": 0, "host_ns": 10, "kind": "start", "format": 1, "version": "v2e $evil", "image": "/x/$evil", "engine": "$evil", "clock": "$evil"}
{"seq": 1, "ns": 1000, "host_ns": 2000, "kind": "mode", "from": "real", "to": "protected", "cs": 0, "ip": 31856, "linear": 31856, "symbol": "$evil", "blocks": 7, "bits": 16, "code_at": 31856, "code": "0f22c024fe0f22c0b800b88ec0"}
{"seq": 2, "ns": 2000, "host_ns": 3000, "kind": "handover", "sequence": 1, "cause": "$evil", "stop": "mode", "detail": 0, "from": "emu", "to": "kvm", "mode": "pm32", "cs": 8, "ip": 4096, "linear": 4096, "blocks": 1001, "insns": 5000, "bits": 32, "code_at": 4096, "code": "90909090", "exit_ns": 100, "save_ns": 200, "channel_ns": 300, "emulate_ns": 4000, "load_ns": 500}
{"seq": 3, "ns": 8000, "host_ns": 8000, "kind": "mode", "from": "real", "to": "vm86", "cs": 0, "ip": 31856, "linear": 31856, "blocks": 7}
{"seq": 3, "ns": 9000, "host_ns": 9000, "kind": "mode", "from": "protected", "to": "real", "cs": 0, "ip": 31861, "linear": 31861, "blocks": 2, "bits": 16, "code_at": 31861, "code": "0f22c0ea341200f0f4f4"}
{"seq": 4, "ns": 10000, "host_ns": 10000, "kind": "call", "call": 1, "depth": 0, "by_int": true, "vector": 19, "function": "AH=42", "name": "$evil", "arguments": "$evil\u0000\ud800\u007f", "cs": 0, "ip": 31744, "linear": 31744}
{"seq": 5, "ns": 30000, "host_ns": 30000, "kind": "return", "call": 1, "taken_ns": 20000, "vector": 19, "function": "AH=42", "name": "$evil", "ok": false, "carry": true, "result": "$evil"}
{"seq": 6, "ns": 40000, "host_ns": 40000, "kind": "call", "call": 2, "depth": 0, "by_int": true, "vector": 22, "function": "AH=00", "name": "read key", "arguments": "", "cs": 0, "ip": 31744, "linear": 31744}
{"seq": 7, "ns": 50000, "host_ns": 50000, "kind": "io", "op": "in", "port": 96}
{"seq": 8, "ns": 50000, "host_ns": 50000, "kind": "end", "insns": 5000, "blocks": 100, "handovers": 1, "status": 0}
END
check "a recording becomes a page" report evil.jsonl
check "with what is in it" has 'real to protected' '<td class="n" data-v="1100">1.10' 'int 13h AH=42' 'read key' 'no return'
check "with code for each place, also where another one has it" test "$(grep -c '<pre>' page.html)" -eq 4
check "and a mark where it happens" has '<span class="here">00007c70  mov cr0, eax</span>' '<span class="here">00001000  nop </span>'
check "and none behind a jump: that may be of the other size, or none" sh -c 'grep -q "ljmp 0xf000:0x1234" page.html && ! grep -q hlt page.html'
check "all from the guest is escaped" has_not '</script><script>' '<img' 'onerror=alert(1)>'
check "nothing comes from elsewhere" sh -c '! grep -nE "(src|href|srcset|action|data)=|url\(|@import|<link|<base|<iframe|<object|<embed|fetch\(|XMLHttp|import\(|WebSocket" page.html | grep -v "&lt;" | grep -v "^[0-9]*:.*u003c"'
check "and nothing may" has "default-src 'none'"
check "one element of data, two of script, one of style" sh -c 'test "$(grep -c "<script" page.html) $(grep -c "</script>" page.html) $(grep -c "<style>" page.html)" = "2 2 1"'
check "from standard input" sh -c '"$0" report - <evil.jsonl >piped.html && cmp piped.html page.html' "$V2E"
printf '00001000 T somewhere\n' >names.nm
check "names are added" report --symbols names.nm evil.jsonl
check "where there were none" has '<b>somewhere</b>'

# The log of transitions
cat >log.json <<END
{
"total": 2,
"transitions": [
{"sequence": 1, "cause": "real-left", "stop": "mode", "detail": 0, "from": "emu", "to": "kvm", "mode": "pm32", "cs": 8, "ip": 4096, "linear": 4096, "cr0": 17, "rflags": 2, "blocks": 1001, "insns": 9, "guest_ns": 1000, "ns": {"exit": 1, "save": 2, "channel": 3, "emulate": 4, "load": 5}},
{"sequence": 2, "cause": "pe-cleared", "stop": "mode", "detail": 0, "from": "kvm", "to": "emu", "mode": "real", "cs": 0, "ip": 31744, "linear": 31744, "cr0": 16, "rflags": 2, "blocks": 0, "insns": 0, "guest_ns": 3000, "ns": {"exit": 10, "save": 20, "channel": 30, "emulate": 40, "load": 50}}
]
}
END
cat >log.csv <<END
sequence,cause,stop,detail,from,to,mode,cs,ip,linear,cr0,rflags,blocks,insns,guest_ns,exit_ns,save_ns,channel_ns,emulate_ns,load_ns
1,real-left,mode,0,emu,kvm,pm32,8,4096,4096,17,2,1001,9,1000,1,2,3,4,5
2,pe-cleared,mode,0,kvm,emu,real,0,31744,31744,16,2,0,0,3000,10,20,30,40,50
END
check "a log of transitions, JSON" report log.json
check "costs are added up" has '<td class="n" data-v="110">110 ns' 'kvm to emu: pe-cleared'
cp page.html json.html
check "or CSV" report log.csv
check "is the same" cmp page.html json.html
check "beside a trace it counts once" sh -c '"$0" report evil.jsonl log.json >both.html && grep -qF "<span>hand-overs</span><b>1</b>" both.html' "$V2E"

# Bad input
: >empty
printf 'hello\n' >prose
printf '{"kind": "mode"\n' >open
head -c 400 evil.jsonl >cut
printf '{"kind": "io", "ns": 99999999999999999999999999}\n' >huge
printf '{"kind": "io", "ns": 1e300}\n' >float
printf '{"kind": "io", "ns": -1}\n' >negative
printf '{"kind": "start", "format": 2}\n' >future
printf '{"kind": "mode", "from": "x", "to": "y"}\n' >modes
printf '{"kind": "call", "vector": 300, "function": "", "name": ""}\n' >vector
printf '{"a": 1}\n' >other
printf '[1]\n' >list
printf '{"kind": "io"} {}\n' >two
printf '{"kind": "\\x"}\n' >escape
printf '{"kind": "\377"}\n' >latin
printf '{"kind": "i\0o"}\n' >nul
{ printf '{"kind": "'; head -c 70000 /dev/zero | tr '\0' x; printf '"}\n'; } >long
{ i=0; while [ $i -lt 8 ]; do printf '{"a": '; i=$((i + 1)); done; echo; } >deep
printf 'sequence,cause,stop\n1,2\n' >csv
printf '{"kind": "io"}\n{"kind": "io"\n' >second
refuse() { check "refused: $2" refuses "$1" "$2"; }
refuse 'empty: it is empty' empty
refuse 'prose: line 1: it is no JSON object' prose
refuse 'open: line 1: its end is missing' open
refuse 'it is cut off' cut
refuse 'a number is too large' huge
refuse 'a number is not whole' float
refuse 'neither a string nor a whole number' negative
refuse 'its format is not 1' future
refuse 'names no modes' modes
refuse 'no vector and function' vector
refuse 'it is no event' other
refuse 'it is no JSON object' list
refuse 'stands behind its end' two
refuse 'bad escape' escape
refuse 'it is not UTF-8' latin
refuse 'it is ' nul
refuse 'longer than 64 KiB' long
refuse 'nested too deeply' deep
refuse 'not as many columns' csv
refuse 'second: line 2: its end is missing' second
refuse 'nowhere: ' nowhere
check "a recording is wanted" sh -c '"$0" report 2>err; test $? -eq 2 && grep -qF "no recording; give" err' "$V2E"
check "a place that cannot be written" sh -c '"$0" report -o /nowhere/x evil.jsonl 2>err; test $? -eq 2 && grep -qF "/nowhere/x: " err' "$V2E"

# In a browser. Errors of the page's script would leave it without its mark.
browse() # PAGE: the document as it is then
{
	profile=$(mktemp -d "$tmp/profile.XXXXXX")
	timeout 120 chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --enable-logging=stderr --v=0 --user-data-dir="$profile" \
		--virtual-time-budget=3000 --dump-dom "file://$tmp/$1" >dom.html 2>console
	grep -E 'CONSOLE' console
	[ -s dom.html ] && ! grep -q 'CONSOLE' console
}

drawn()
{
	grep -q 'data-ready="yes"' dom.html || { echo "the script did not reach its end"; return 1; }
	for pattern; do
		grep -qE -e "$pattern" dom.html || { echo "not drawn: $pattern"; return 1; }
	done
}

if have chromium; then
	report evil.jsonl
	check "a browser shows it without an error" browse page.html
	check "its pictures are drawn" drawn '<path d="M[^"]*" fill="var\(--real\)"' 'fill="var\(--protected\)" class="seg"' \
		'fill="var\(--kvm\)"' 'fill="var\(--call\)"' '<rect [^>]*fill="var\(--protected\)"' '>real mode</td>' '>KVM</td>'
	check "no string became an element" sh -c '! grep -qE "<img|<title>1</title>" dom.html'
	report log.json
	check "nor with transitions alone" browse page.html
	check "they are drawn" drawn 'fill="var\(--kvm\)"' 'all parts but emulate'
	printf '{"seq": 0, "ns": 0, "host_ns": 0, "kind": "end"}\n' >bare.jsonl
	report bare.jsonl
	check "nor with nothing" browse page.html
	check "it is a page still" drawn '<h1>v2e</h1>'
	if have nasm && nasm -f bin -o calls.bin "$V2E_SRC/tests/cli/calls.asm" && timeout 60 "$V2E" run --clock virtual --do quit >err 2>&1 </dev/null; then
		check "a run writes the page itself" timeout 120 "$V2E" trace --clock virtual --engine emu -o run.html calls.bin --timeout 60s --do 'wait-text DONE' --do quit
		check "it shows" browse run.html
		check "the run" drawn 'extended read' 'invalid command' 'no return'
		check "and no string became an element" sh -c '! grep -q "<img" dom.html'
	else
		skip "a run writes the page itself" "no nasm, or no firmware"
	fi
else
	skip "the page in a browser" "no chromium (Debian: apt install chromium)"
fi
finish
