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

# What the page has from the tables is what the program says.
page_is_current() # COMMAND 'SECTION BEHIND'
{
	"$V2E" "$1" --man >"$tmp/program" || return 1
	sed -n "/^\.SH OPTIONS/,/^\.SH $2/p" "$V2E_SRC/man/v2e-$1.1" | sed '$d' >"$tmp/page"
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
check "v2e test --help" prints 'Usage: v2e test' test --help
check "v2e test --help names the keys" prints 'protected-within=TIME' test --help
check "v2e-run(1) says what the program says" page_is_current run 'EXIT STATUS'
check "v2e-test(1) says what the program says" page_is_current test 'TEST FILES'
for page in v2e v2e-run v2e-test; do
	sed 's/\\-/-/g' "$V2E_SRC/man/$page.1" >"$tmp/$page"
done
check "v2e(1) has all options" all_options_in_page "$tmp/v2e"
check "v2e-run(1) has all options" all_options_in_page "$tmp/v2e-run" run
check "v2e-test(1) has all options" all_options_in_page "$tmp/v2e-test" test
if have man; then
	check "v2e(1) formats" formats "$V2E_SRC/man/v2e.1"
	check "v2e-run(1) formats" formats "$V2E_SRC/man/v2e-run.1"
	check "v2e-test(1) formats" formats "$V2E_SRC/man/v2e-test.1"
else
	skip "manual pages format" "no man"
fi

finish
