#!/bin/sh
# What somebody does who has only a clone and no autotools: configure, make,
# make check, make install. Then make distcheck.
. "${V2E_SRC:-.}/tests/lib.sh"
jobs=$(nproc)

# Were one of them started, it would be by a time stamp, not by need.
mkdir "$tmp/bin"
for tool in autoconf autoheader automake aclocal autom4te autoreconf; do
	printf '#!/bin/sh\necho "$0 was started" >&2\nexit 1\n' >"$tmp/bin/$tool"
	chmod +x "$tmp/bin/$tool"
done
PATH=$tmp/bin:$PATH

clone()
{
	git -c safe.directory='*' clone -q "$V2E_SRC" "$tmp/clone"
}

in_clone()
{
	(cd "$tmp/clone" && "$@")
}

# A clone writes files in any order; this one is the worst.
age()
{
	find "$tmp/clone" -name .git -prune -o -type f -exec touch -d 2020-01-01 {} + &&
		touch "$tmp/clone/configure.ac" "$tmp/clone/Makefile.am" "$tmp"/clone/*/local.mk
}

installed()
{
	test -x "$tmp/root/usr/bin/v2e" && test -s "$tmp/root/usr/share/man/man1/v2e.1" &&
		"$tmp/root/usr/bin/v2e" --version
}

unchanged()
{
	changes=$(git -C "$tmp/clone" status --porcelain)
	echo "$changes"
	test -z "$changes"
}

# What only serves git and continuous integration stays out of it.
complete()
{
	git -C "$tmp/clone" ls-files | grep -v -e '^\.git' -e '^\.ci/' | sort >"$tmp/files"
	tar -tJf "$tmp"/clone/v2e-*.tar.xz | sed 's,^[^/]*/,,' | sort >"$tmp/packed"
	comm -23 "$tmp/files" "$tmp/packed" >"$tmp/left"
	cat "$tmp/left"
	[ -s "$tmp/files" ] && [ ! -s "$tmp/left" ]
}

check "clone" clone
check "make the build files look old" age
check "./configure" in_clone ./configure --quiet --prefix=/usr
check "make" in_clone make -s -j"$jobs"
# The same commit has passed all of them in another step; here they show that the
# clone has what they are built from.
check "make check" in_clone make -s -j"$jobs" check TESTS="tests/rules.sh tests/cli/help.sh"
check "make install" in_clone make -s install DESTDIR="$tmp/root"
check "v2e and its manual page are installed" installed
check "make uninstall" in_clone make -s uninstall DESTDIR="$tmp/root"
check "git ignores what a build leaves behind" unchanged
check "make dist" in_clone make -s dist
check "the archive has all files of the repository" complete
check "make distcheck" in_clone make -s -j"$jobs" distcheck TESTS="tests/unit/unit tests/rules.sh tests/insn/vectors.sh"
finish
