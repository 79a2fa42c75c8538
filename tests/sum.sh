# Adds up programs that end in `N passed, N failed, N skipped`.
#
#	run NAME COMMAND ARGUMENTS...
#	sum_up
#
# A program that ends badly without such a line counts as one failure.
sum_passed=0 sum_failed=0 sum_skipped=0
sum_log=$(mktemp "${TMPDIR:-/tmp}/v2e-run.XXXXXX")
trap 'rm -f "$sum_log"' EXIT
trap 'exit 1' HUP INT TERM

run()
{
	sum_name=$1
	shift
	echo "== $sum_name"
	{ "$@" 2>&1; echo "status $?"; } | tee "$sum_log" | sed '/^status [0-9]*$/d'
	sum_status=$(sed -n '$s/^status //p' "$sum_log")
	sum_line=$(sed '$d' "$sum_log" | tail -n 1 | grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$')
	if [ -z "$sum_line" ]; then
		echo "FAILED: $sum_name ended with status $sum_status and no count"
		sum_line="0 passed, 1 failed, 0 skipped"
	elif [ "$sum_status" -ne 0 ] && [ "$sum_status" -ne 77 ] && [ "${sum_line#* passed, 0 failed}" != "$sum_line" ]; then
		echo "FAILED: $sum_name ended with status $sum_status"
		sum_line="${sum_line%% *} passed, 1 failed, ${sum_line##*failed, }"
	fi
	set -- $sum_line
	sum_passed=$((sum_passed + $1)) sum_failed=$((sum_failed + $3)) sum_skipped=$((sum_skipped + $5))
}

sum_up()
{
	echo "$sum_passed passed, $sum_failed failed, $sum_skipped skipped"
	[ "$sum_failed" -eq 0 ]
	exit
}
