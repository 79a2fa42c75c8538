# For the scripts that test v2e test, after tests/lib.sh and in a folder of their own: what
# they run it with and how they judge it; guests, a folder `good` of tests that pass, and
# one of such that fail.

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

has_artefacts()
{
	for file in screen.png screen.txt serial.log log.txt transitions.txt registers.txt disassembly.txt result.ini; do
		[ -e "$1/$file" ] || { echo "no $file"; return 1; }
	done
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

# Five tests, in a folder `fails`.
failing_tests()
{
	mkdir fails
	cp -- *.bin fails
	v2etest fails/text <<-'END'
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
	v2etest fails/all <<-'END'
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
	v2etest fails/step <<-'END'
	[machine]
	image=spin.bin
	[steps]
	never=wait-text Never 100ms
	[expect after never]
	text=Never
	END
	v2etest fails/exit <<-'END'
	[machine]
	image=exit.bin
	exit-port=0xf4
	[steps]
	never=wait-text Never
	END
	v2etest fails/late <<-'END'
	[machine]
	image=spin.bin
	[limits]
	guest-time=1s
	[expect at 3s]
	text=Never
	END
}

# Ends the script as skipped where no guest starts.
need_a_guest()
{
	if ! ends 0 good/text.v2etest >/dev/null; then
		skip "everything" "$(cat out err | head -n 4 | tail -n 2)"
		finish
	fi
}
