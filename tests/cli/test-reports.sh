#!/bin/sh
# v2e test: TAP, JUnit, progress; runs spread by GNU parallel.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp" || exit 1
. "$V2E_SRC/tests/cli/test-lib.sh"
need_a_guest

failing_tests

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

finish
