#!/bin/sh
# Help, version, manual pages: there, and in step with each other.
. "${V2E_SRC:-.}/tests/lib.sh"

prints() # 'TEXT' ARGS...
{
	text=$1
	shift
	"$V2E" "$@" >"$tmp/out" || return 1
	grep -qF -e "$text" "$tmp/out"
}

# What the program says of itself: the names of its commands.
commands()
{
	"$V2E" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# What the page has from the tables is what the program says.
page_is_current() # PAGE ARGS...
{
	page=$1
	shift
	next=$(sed -n 's/^\.\\" What follows up to \(.*\) is written by update\.sh\.$/\1/p' "$page")
	[ -n "$next" ] || { echo "$page does not say what update.sh writes"; return 1; }
	"$V2E" "$@" --man >"$tmp/program" || return 1
	sed -n "/^\.\\\\\" What follows/,/^\.SH $next\$/p" "$page" | sed '1d;$d' >"$tmp/page"
	diff -u "$tmp/page" "$tmp/program"
}

options_of() # COMMAND, or nothing
{
	# shellcheck disable=SC2086
	"$V2E" $1 --help | sed -n 's/^  \(-.*\)/\1/p' | sed 's/   .*//' | grep -o -e '--[a-z][a-z0-9-]*' | sort -u
}

all_options_in_page() # PAGE COMMAND
{
	sed 's/\\-/-/g' "$1" >"$tmp/page"
	options_of "$2" | while read -r option; do
		grep -qF -e "$option" "$tmp/page" || { echo "$option is not in $1"; return 1; }
	done
}

# complete WORDS...: what bash offers for the last one, a line each.
complete_words()
{
	bash -c '. "$0"; COMP_WORDS=(v2e "$@"); COMP_CWORD=$#; _v2e; printf "%s\n" "${COMPREPLY[@]}"' "$tmp/completion" "$@"
}

completes_options() # COMMAND
{
	# shellcheck disable=SC2086
	complete_words $1 -- | sort -u >"$tmp/offered"
	options_of "$1" >"$tmp/options"
	[ -s "$tmp/options" ] && diff -u "$tmp/options" "$tmp/offered"
}

offers() # 'WORDS' WORDS...
{
	wanted=$1
	shift
	offered=$(complete_words "$@" | tr '\n' ' ')
	[ "$offered" = "$wanted " ] || { echo "offered: $offered"; return 1; }
}

formats()
{
	! man -l --warnings "$1" 2>&1 >/dev/null | grep .
}

check "v2e --help" prints 'Usage: v2e' --help
check "v2e -h" prints 'Usage: v2e' -h
check "v2e --version" prints 'v2e ' --version
check "v2e run --help names the commands" prints 'wait-stable T1 [T2]' run --help
check "help wins over the image" prints 'Usage: v2e run' run no-such.iso --help
check "v2e test --help names the keys" prints 'protected-within=TIME' test --help
check "v2e bench --help names the guests" prints 'as GRUB 2' bench --help
check "there are commands" test "$(commands | wc -l)" -ge 4
check "v2e(1) says what the program says" page_is_current "$V2E_SRC/man/v2e.1"
check "v2e(1) has all options" all_options_in_page "$V2E_SRC/man/v2e.1" ''
for command in $(commands); do
	page=$V2E_SRC/man/v2e-$command.1
	check "v2e $command --help" prints "Usage: v2e $command" "$command" --help
	check "v2e-$command(1) says what the program says" page_is_current "$page" "$command"
	check "v2e-$command(1) has all options" all_options_in_page "$page" "$command"
done
for page in "$V2E_SRC"/man/v2e*.1; do
	if have man; then
		check "$(basename "$page") formats" formats "$page"
	else
		skip "$(basename "$page") formats" "no man"
	fi
done

"$V2E" --completion >"$tmp/completion"
if have bash; then
	check "bash completes commands" offers "$(commands | tr '\n' ' ' | sed 's/ $//')" ''
	check "bash completes v2e's options" completes_options ''
	for command in $(commands); do
		check "bash completes the options of v2e $command" completes_options "$command"
	done
	check "bash completes values" offers 'hybrid' run --engine h
	check "also behind =" offers 'kvm' run --engine = k
	check "and parts of lists" offers 'switch,insn' run --trace switch,ins
	check "and leaves files to itself" offers '' run --cdrom x
else
	skip "bash completes" "no bash"
fi

finish
