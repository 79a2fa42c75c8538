# For the shell tests: counts checks and prints the closing line.
#
#	. "${V2E_SRC:-.}/tests/lib.sh"
#	check "what must hold" command args...
#	skip "what" "why"
#	finish
#
# V2E_SRC is the top of the sources, V2E_BUILD that of the build; both are
# absolute. $tmp is a folder that goes away at the end.
passed=0 failed=0 skipped=0
V2E_SRC=$(cd "${V2E_SRC:-.}" && pwd)
V2E_BUILD=$(cd "${V2E_BUILD:-$V2E_SRC/build}" 2>/dev/null && pwd) || V2E_BUILD=$V2E_SRC
V2E=${V2E:-$V2E_BUILD/v2e}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/v2e-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

pass() { passed=$((passed + 1)); echo "ok: $1"; }
fail() { failed=$((failed + 1)); echo "FAILED: $1"; }
skip() { skipped=$((skipped + 1)); echo "skipped: $1: $2"; }

# Passes if the command does; its output is shown only when it does not.
check()
{
	what=$1
	shift
	if "$@" >"$tmp/check.out" 2>&1; then
		pass "$what"
	else
		fail "$what (exit status $?): $*"
		tail -n 60 "$tmp/check.out" | sed 's/^/	/'
	fi
}

have() { command -v "$1" >/dev/null 2>&1; }

# comes COMMAND...: within a minute of this host.
comes()
{
	tries=0
	until "$@" >"$tmp/come.out" 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { cat "$tmp/come.out"; return 1; }
		sleep 0.1
	done
}

# engines: those that this host offers, one a line.
engines()
{
	echo emu
	! "$V2E" probe --json | grep -q '"kvm": true' || printf 'hybrid\nkvm\n'
}
# Does KVM run that mode (pm16, pm32, ...) by interpreting it, some million instructions
# a second, or not at all?
interprets() { ! "$V2E" probe --json | grep -q "\"$1\": { \"runs\": \"native\""; }

# Exit status 77 tells automake that nothing was run.
finish()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] || exit 1
	[ "$passed" -gt 0 ] || exit 77
	exit 0
}
