#!/bin/sh
# fresh-root.sh [COMMAND...]: a minimal Debian root made by debootstrap, with a
# clone of this repository in it, where COMMAND (./quickstart by default) is
# run. Needs root, debootstrap, and the network; takes minutes and 1.5 GB in
# $TMPDIR. V2E_MIRROR names another Debian mirror.
. "${V2E_SRC:-$(cd "$(dirname "$0")/.." && pwd)}/tests/lib.sh"
[ $# -gt 0 ] || set -- ./quickstart
mirror=${V2E_MIRROR:-http://deb.debian.org/debian}

if [ "$(id -u)" -ne 0 ]; then
	skip fresh-root "debootstrap and chroot want root"
	finish
fi
if ! have debootstrap; then
	skip fresh-root "no debootstrap (Debian: apt install debootstrap)"
	finish
fi

root=$tmp/root
mounted=
unmount()
{
	for point in $mounted; do
		umount "$point" || umount -l "$point"
	done
	rm -rf "$tmp"
}
trap unmount EXIT

bootstrap()
{
	debootstrap --variant=minbase "${V2E_SUITE:-bookworm}" "$root" "$mirror"
}

# The host's way to the network: resolver, proxy, sources.
prepare()
{
	cp -L /etc/resolv.conf "$root/etc/" &&
		cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null
	git -c safe.directory='*' clone -q "$V2E_SRC" "$root/v2e" || return 1
	for name in proc sys dev dev/pts; do
		mount --bind "/$name" "$root/$name" || return 1
		mounted="$root/$name $mounted"
	done
}

inside()
{
	# shellcheck disable=SC2016
	chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		sh -c 'cd /v2e && exec "$@"' sh "$@" </dev/null
}

check "debootstrap" bootstrap
if [ "$failed" -eq 0 ]; then
	check "the root is prepared" prepare
	check "$*" inside "$@"
	check "$* once more" inside "$@"
fi
finish
