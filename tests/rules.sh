#!/bin/sh
# Rules of the tree that a compiler does not see.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$V2E_SRC"

# includes FOLDER ALLOWED: project headers that FOLDER may not include. A
# quoted include names its folder, so a bare "x.h" is an offence as well.
offences()
{
	grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$1"/*.[ch] "$1"/*.def 2>/dev/null |
		grep -vE "#[[:space:]]*include[[:space:]]*\"($2)/"
}

keeps_to()
{
	! offences "$1" "$2"
}

sees_offence()
{
	mkdir -p "$tmp/$1"
	printf '#include <stdio.h>\n#include "%s"\n' "$2" >"$tmp/$1/probe.c"
	(cd "$tmp" && offences "$1" "shared|$1")
}

check "the rule sees a foreign include" sees_offence emu devmodel/pc.h
check "the rule sees a bare include" sees_offence hv kvm.h
check "shared includes only shared" keeps_to shared shared
for folder in hv emu devmodel; do
	check "$folder includes only shared and itself" keeps_to $folder "shared|$folder"
done
check "gdb includes only shared and itself" keeps_to gdb "shared|gdb"
check "trace includes only shared and itself" keeps_to trace "shared|trace"
check "loader does not include cli" keeps_to loader "shared|hv|emu|devmodel|loader|include"

# Each source that a build would miss: present, but in no fragment.
unlisted()
{
	status=0
	for file in shared/*.[ch] shared/*.def hv/*.[ch] hv/*.def emu/*.[ch] emu/*.def \
	            devmodel/*.[ch] devmodel/*.def loader/*.[chS] include/v2e/*.h gdb/*.[ch] trace/*.[ch] trace/*.def cli/*.[chS] \
	            tests/unit/*.[ch] tests/unit/*.def tests/cli/*.sh; do
		[ -e "$file" ] || continue
		grep -qE "(^|[[:space:]=])$file([[:space:]]|\$)" ./*/local.mk && continue
		echo "$file is in no local.mk"
		status=1
	done
	return $status
}
check "every source is in a fragment" unlisted

finish
