# Packages of Debian's archive, for other architectures too, by lists of their own in the
# folder apt of the current one; the host's apt is left alone. What apt says is in apt.log.

# archive_lists ARCHITECTURE...: fetches the lists; sets $archive, options for apt.
archive_lists()
{
	mkdir -p apt/lists/partial apt/cache/archives/partial
	archive_mirror=$(sed -n 's/^URIs: *\(.*debian\)\/\{0,1\}$/\1/p; s/^deb [^h]*\(http[^ ]*debian\)\/\{0,1\} .*/\1/p' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
	: >apt/status
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${archive_mirror:-http://deb.debian.org/debian} bookworm main" >apt/sources.list
	archive="-q -o APT::Architecture=$1 -o Dir::Etc::sourcelist=$PWD/apt/sources.list"
	for archive_architecture; do
		archive="$archive -o APT::Architectures::=$archive_architecture"
	done
	archive="$archive -o Dir::Etc::sourceparts=/dev/null -o Dir::State=$PWD/apt -o Dir::State::status=$PWD/apt/status"
	archive="$archive -o Dir::State::lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt/cache -o Acquire::Languages=none -o APT::Sandbox::User="
	# shellcheck disable=SC2086
	apt-get $archive -o Acquire::Retries=3 update >apt.log 2>&1 || true
}

# archive_get PACKAGE...: downloads them into the current folder.
archive_get()
{
	# shellcheck disable=SC2086
	apt-get $archive -o Acquire::Retries=3 download "$@" >>apt.log 2>&1
}
