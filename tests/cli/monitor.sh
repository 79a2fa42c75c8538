#!/bin/sh
# --monitor: commands on standard input and over a unix socket.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"

# cli; mov ax, 1234h; hlt; jmp to the hlt
printf '\372\270\064\022\364\353\375' >halt.bin

# answers STATUS COMMANDS: standard output in out.
answers()
{
	printf "$2" | timeout 120 "$V2E" run --clock virtual --engine emu --floppy halt.bin --monitor stdio >out 2>err
	status=$?
	cat out err
	[ $status -eq "$1" ] || { echo "status $status, not $1"; return 1; }
}

has()
{
	for text; do
		echo "looking for: $text"
		grep -qF -e "$text" out || return 1
	done
}

if ! timeout 60 "$V2E" run --clock virtual --do quit >err 2>&1 </dev/null; then
	skip "everything" "$(head -n 1 err)"
	finish
fi

check "commands are done in turn, and quit ends the run" answers 3 \
	'wait-text Booting\nsleep 1s\nregisters\ndisassemble 2\ndump 0x7c00 8\nquit 3\n'
check "registers, instructions and memory are shown" has \
	"rax 0000000000001234" "0000:00007c05  ebfd" "00007c00  fa b8 34 12 f4 eb fd"
check "each is answered" test "$(grep -c '^ok$' out)" -eq 6
check "mistakes do not end anything" answers 0 'frob\ndump\ndump 0xf0000000\ndisassemble x\nsleep never\nquit\n'
check "and are told" has "error: monitor:1: unknown command 'frob'" "; help lists all" "error: an address is missing" "error: there is no memory at 0xf0000000"
check "help is not for what is known" sh -c '[ "$(grep -c "help lists all" out)" -eq 1 ]'
check "blanks do not matter, words do" answers 0 ' dump   0x7c00\t4 \nregisters now\ndump 0 1 2\ndisasemble\nhelp\nquit\n'
check "and too many are told" has "00007c00  00 00 00 00" "error: 'now' is too much; write: registers" \
	"error: '2' is too much; write: dump ADDRESS [COUNT]" "error: unknown command; did you mean disassemble?" "  dump        ADDRESS [COUNT]  memory by linear address"
check "answers can be JSON" answers 0 'json on\ndump 0xffff0 4\nfrob "x\njson off\nhelp\nquit\n'
check "a line each" has '{"command":"json on","ok":true,"output":""}' '"ok":false' 'screenshot FILE.png'
check "the screen goes to who asks for it" answers 0 'json on\nwait-text Booting\nscreen-text -\nquit\n'
check "as one answer" sh -c '[ "$(wc -l <out)" -eq 4 ] && sed -n 3p out | grep -q "^{\"command\":\"screen-text -\",\"ok\":true,\"output\":\"SeaBIOS"' 
check "a command that waits too long fails, and the run goes on" answers 0 'wait-text nowhere 1s\nquit\n'
check "saying so" has "error: monitor:1: wait-text nowhere 1s"

refuses() { ! "$V2E" run "$@" >out 2>&1 && cat out && has "$text"; }
text="is no place for a monitor" check "a place that is none is refused" refuses --monitor here
text="both want stdio" check "a place that is taken is refused" refuses --monitor stdio --serial stdio

finish
