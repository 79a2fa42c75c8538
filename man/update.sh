#!/bin/sh
# Writes anew what the manual pages have from the tables in cli/: in v2e-COMMAND.1
# all between the line that says so and the section that it names.
#
#	man/update.sh [PATH OF v2e]
set -e
cd "$(dirname "$0")/.."
v2e=${1:-build/v2e}
new=$(mktemp)
trap 'rm -f "$new"' EXIT
for command in run test; do
	page=man/v2e-$command.1
	next=$(sed -n 's/^\.\\" What follows up to \(.*\) is written by update.sh\.$/\1/p' "$page")
	sed -n '1,/^\.\\" What follows/p' "$page" >"$new"
	"$v2e" "$command" --man >>"$new"
	sed -n "/^\.SH $next\$/,\$p" "$page" >>"$new"
	cat "$new" >"$page"
done
