#!/bin/sh
# virtio-module.sh LINUX FOLDER: builds virtio_mmio for the i386 kernel that debian-linux.sh
# has put into LINUX, from Debian's source of just that version, but with
# CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES, which Debian leaves out. FOLDER/module.gz is a RAM disk
# to be appended to LINUX/virtio.gz, where it takes the place of Debian's. Packages of some
# 150 MB come from the archive, once. Exit status 77, with the reason on standard output,
# when they or the compiler cannot be had.
set -eu
. "$(dirname "$0")/archive.sh"
linux=$1 target=$2
image=$(basename "$linux"/linux-image-*-686_*_i386.deb)
release=${image#linux-image-} release=${release%%_*}
version=${image#*_} version=${version%%_*}
series=$(echo "$release" | cut -d. -f1,2)
mkdir -p "$target"
# Two tests may want it at the same time.
exec 9>"$target.lock"
flock 9
[ "$target/done" -nt "$0" ] && [ "$(cat "$target/done")" = "$version" ] && exit 0
cd "$target"
# The compiler by which Debian's headers go, and it has to make 32-bit code.
if ! echo 'int probe;' | gcc-12 -m32 -c -x c -o probe.o - 2>probe.log; then
	echo "no gcc-12 for 32-bit x86 (Debian: apt install gcc-12)"
	exit 77
fi
rm -rf -- *.deb tree module root
archive_lists i386 "$(dpkg --print-architecture)"
if ! archive_get "linux-headers-$release=$version" "linux-headers-${release%-686}-common=$version" \
	"linux-kbuild-$series:$(dpkg --print-architecture)=$version" "linux-source-$series=$version"; then
	echo "headers and source of Linux $version cannot be downloaded: $(tail -n 1 apt.log)"
	exit 77
fi
for file in linux-headers-*.deb linux-kbuild-*.deb; do
	dpkg -x "$file" tree
done
headers=$PWD/tree/usr/src/linux-headers-$release
sed -i "s|/usr/src|$PWD/tree/usr/src|" "$headers/Makefile"

# Without the table of device tree names: modpost, a 64-bit program here, takes its
# entries for those of a 64-bit kernel and fails. No PC has a device tree.
mkdir module
dpkg --fsys-tarfile linux-source-*.deb | tar -xO "./usr/src/linux-source-$series.tar.xz" | xz -dc |
	tar -xO "linux-source-$series/drivers/virtio/virtio_mmio.c" | sed '/MODULE_DEVICE_TABLE(of,/d' >module/virtio_mmio.c
printf '%s\n' 'obj-m := virtio_mmio.o' 'ccflags-y := -DCONFIG_VIRTIO_MMIO_CMDLINE_DEVICES' >module/Makefile
if ! make -C "$headers" ARCH=i386 M="$PWD/module" modules >make.log 2>&1; then
	tail -n 20 make.log
	exit 1
fi
mkdir -p root/modules
strip -g -o root/modules/virtio_mmio.ko module/virtio_mmio.ko
(cd root && find . | cpio --quiet -o -H newc | gzip -n9) >module.gz
rm -rf -- *.deb tree module root apt probe.*
echo "$version" >done
