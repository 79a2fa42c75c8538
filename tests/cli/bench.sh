#!/bin/sh
# v2e bench: that it measures and reports; what comes out of it is no test's concern.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"

bench() # ARGS...
{
	timeout 300 "$V2E" bench "$@" >out 2>err </dev/null
	status=$?
	cat out err
	return $status
}

# column NAME: of a.csv, a line a case.
column()
{
	awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR > 1 { print $at }' a.csv
}

table_is_whole()
{
	awk -F, 'NR == 1 { columns = NF } NF != columns { print "line " NR ": " NF " of " columns; bad = 1 } END { exit bad }' a.csv
}

# Quantiles of what was measured are positive and in order.
quantiles_are_in_order()
{
	awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$(at["samples"]) == 0 { next }
		{ count++ }
		!($(at["p25_ns"]) > 0 && $(at["p25_ns"]) + 0 <= $(at["median_ns"]) + 0 && $(at["median_ns"]) + 0 <= $(at["p75_ns"]) + 0 &&
		  $(at["p75_ns"]) + 0 <= $(at["p99_ns"]) + 0 && $(at["median_cycles"]) > 0) { print; bad = 1 }
		END { exit bad || !count }' a.csv
}

has_cases() # COUNT PATTERN
{
	[ "$(cut -d, -f3-8 a.csv | grep -c "$2")" -eq "$1" ] || { cut -d, -f3-8 a.csv; return 1; }
}

is_measured()
{
	awk -F, -v engine="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$(at["engine"]) == engine { seen = 1; if ($(at["samples"]) != 3) { print; bad = 1 } } END { exit bad || !seen }' a.csv
}

check "a selection is measured" bench --quick --samples 3 --guest far-jump,vm86 --engine emu --channel inline,futex \
	--protected 0,100 --csv a.csv --json a.json
check "the table shows it" grep -q '^far-jump  emu futex  *0  *100 ' out
check "CSV: each line has all columns" table_is_whole
check "CSV: all combinations, and the floors" has_cases 8 '^selected,[a-z0-9-]*,emu,'
check "CSV: the floors" has_cases 1 '^floor,,call,'
check "CSV: three samples each" is_measured emu
check "CSV: quantiles are in order" quantiles_are_in_order
check "CSV: the machine and the revision" sh -c 'cut -d, -f1,2 a.csv | sed 1d | grep -qv "^,\|,$"'
if have python3; then
	cat >look.py <<-'END'
		import json
		report = json.load(open("a.json"))
		assert report["machine"] and report["revision"] and report["date"] and report["kernel"]
		assert isinstance(report["notes"], list)
		assert set(report["targets"]) == {"round_trip_by_floor", "page_ns", "log_percent"}
		emu = [case for case in report["cases"] if case["engine"] == "emu"]
		assert len(emu) == 8
		for case in emu:
		    assert len(case["samples_ns"]) == case["samples"] == 3
		    assert min(case["samples_ns"]) <= case["median_ns"] <= max(case["samples_ns"])
	END
	check "JSON: the same, and each sample" python3 look.py
else
	skip "JSON: the same, and each sample" "no python3"
fi

check "by what the JIT does" bench --quick --samples 1 --guest far-jump --engine emu --jit off,always --csv a.csv
check "and CSV says what" sh -c '[ "$(grep -c ",emu,inline,,,,off,off,0," a.csv),$(grep -c ",emu,inline,,,,off,always,0," a.csv)" = 1,1 ]'

# Only where KVM is: each round trip hands over twice.
hands_over()
{
	column handovers | tail -n 1 | awk '{ exit !($1 >= 1.9 && $1 <= 2.1) }' || { cat a.csv; return 1; }
}
if "$V2E" probe >probe 2>&1; then
	check "a hybrid is measured" bench --quick --samples 3 --guest far-jump --engine hybrid --threshold 0 \
		--watch breakpoint --csv a.csv
	check "and hands over twice a round trip" hands_over
	check "by either policy" bench --quick --samples 1 --guest grub --engine hybrid --policy v2e,adaptive --threshold 10 --csv a.csv
	check "and CSV says which" sh -c '[ "$(grep -c ",hybrid,inline,[a-z]*,v2e,10,off," a.csv),$(grep -c ",hybrid,inline,[a-z]*,adaptive,,off," a.csv)" = 1,1 ]'
else
	skip "a hybrid is measured" "$(head -n 1 probe)"
fi
if have qemu-system-i386; then
	check "QEMU is measured" bench --quick --samples 3 --guest seabios --engine qemu-tcg --csv a.csv
	check "on the same guest" is_measured qemu-tcg
else
	skip "QEMU is measured" "no qemu-system-i386"
fi
if have gnuplot; then
	mkdir own && TMPDIR=$tmp/own
	export TMPDIR
	check "pictures are drawn" bench --quick --samples 1 --plot pictures
	unset TMPDIR
	check "no other file stays behind" rmdir own
	check "of guests" sh -c 'grep -q "</svg>" pictures/guests.svg && [ "$(head -c 4 pictures/guests.png | tail -c 3)" = PNG ]'
else
	skip "pictures are drawn" "no gnuplot"
fi

refuses() # 'TEXT' ARGS...
{
	text=$1
	shift
	bench "$@"
	[ $? -eq 2 ] && grep -qF -e "$text" err
}
check "an unknown guest is refused" refuses "unknown guest 'dos'; join some of" --guest dos
check "so is what the JIT does not" refuses "unknown mode of the JIT 'never'; join some of off, on, always" --jit never
check "a file that cannot be written is found at once" refuses "give a file that can be written" --csv no/such/folder
check "too many words are refused" refuses "v2e bench takes options only" image.iso
check "pictures of a selection" refuses '--plot draws what is measured when nothing is selected' --plot pictures --guest vm86
check "pictures of the targets" refuses '--plot draws what is measured when nothing is selected' --plot pictures --targets
check "without gnuplot --plot is refused" env PATH=/nowhere "$(command -v sh)" -c \
	'"$0" bench --plot pictures 2>err; [ $? -eq 2 ]' "$V2E"

finish
