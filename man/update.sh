#!/bin/sh
# Writes anew what the manual pages have from the tables in cli/: in v2e.1 and each
# v2e-COMMAND.1 all between the line that says so and the section that it names.
#
#	man/update.sh [PATH OF v2e]
set -e
cd "$(dirname "$0")/.."
v2e=${1:-build/v2e}
new=$(mktemp)
trap 'rm -f "$new"' EXIT
for page in man/v2e*.1; do
	command=$(basename "$page" .1 | sed 's/^v2e-*//')
	next=$(sed -n 's/^\.\\" What follows up to \(.*\) is written by update\.sh\.$/\1/p' "$page")
	sed -n '1,/^\.\\" What follows/p' "$page" >"$new"
	# shellcheck disable=SC2086
	"$v2e" $command --man >>"$new"
	sed -n "/^\.SH $next\$/,\$p" "$page" >>"$new"
	cat "$new" >"$page"
done
