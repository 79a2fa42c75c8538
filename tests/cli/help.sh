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

# The OPTIONS and COMMANDS of the page are those of the program.
page_is_current()
{
	"$V2E" run --man >"$tmp/program" || return 1
	sed -n '/^\.SH OPTIONS/,/^\.SH EXIT STATUS/p' "$V2E_SRC/man/v2e-run.1" | sed '$d' >"$tmp/page"
	diff -u "$tmp/page" "$tmp/program"
}

all_options_in_page() # PAGE ARGS...
{
	page=$1
	shift
	"$V2E" "$@" --help | grep -o -e '--[a-z][a-z-]*' | sort -u | while read -r option; do
		grep -qF -e "$option" "$page" || { echo "$option is not in $page"; return 1; }
	done
}

formats()
{
	! man -l --warnings "$1" 2>&1 >/dev/null | grep .
}

check "v2e --help" prints 'Usage: v2e' --help
check "v2e -h" prints 'Usage: v2e' -h
check "v2e --version" prints 'v2e ' --version
check "v2e run --help" prints 'Usage: v2e run' run --help
check "v2e run --help names the commands" prints 'wait-stable T1 [T2]' run --help
check "help wins over the image" prints 'Usage: v2e run' run no-such.iso --help
check "v2e-run(1) says what the program says" page_is_current
for page in v2e v2e-run; do
	sed 's/\\-/-/g' "$V2E_SRC/man/$page.1" >"$tmp/$page"
done
check "v2e(1) has all options" all_options_in_page "$tmp/v2e"
check "v2e-run(1) has all options" all_options_in_page "$tmp/v2e-run" run
if have man; then
	check "v2e(1) formats" formats "$V2E_SRC/man/v2e.1"
	check "v2e-run(1) formats" formats "$V2E_SRC/man/v2e-run.1"
else
	skip "manual pages format" "no man"
fi

finish
