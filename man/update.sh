#!/bin/sh
# Writes the OPTIONS and COMMANDS of v2e-run.1 anew, from the tables in cli/.
#
#	man/update.sh [PATH OF v2e]
set -e
cd "$(dirname "$0")/.."
v2e=${1:-build/v2e}
page=man/v2e-run.1
new=$(mktemp)
trap 'rm -f "$new"' EXIT
sed -n '1,/^\.\\" What follows/p' $page >"$new"
"$v2e" run --man >>"$new"
sed -n '/^\.SH EXIT STATUS/,$p' $page >>"$new"
cat "$new" >$page
