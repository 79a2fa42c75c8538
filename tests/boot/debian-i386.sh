#!/bin/sh
# debian-i386.sh FOLDER: puts a 32-bit Debian kernel (686) and an initial RAM disk with
# busybox into FOLDER: vmlinuz, initrd.gz. Packages come from Debian's i386 archive
# through lists of their own, about 60 MB, once; the host's apt is left alone. Exit
# status 77, with the reason on standard output, when they cannot be had.
set -eu
target=$1
[ "$target/done" -nt "$0" ] && exit 0
if ! command -v apt-get >/dev/null || ! command -v cpio >/dev/null; then
	echo "no apt-get or no cpio"
	exit 77
fi
mkdir -p "$target/apt/lists/partial" "$target/apt/cache/archives/partial"
cd "$target"
rm -f -- *.deb
mirror=$(sed -n 's/^URIs: *\(.*debian\)\/\{0,1\}$/\1/p; s/^deb [^h]*\(http[^ ]*debian\)\/\{0,1\} .*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
: >apt/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} bookworm main" >apt/sources.list
options="-q -o APT::Architecture=i386 -o APT::Architectures::=i386 -o Dir::Etc::sourcelist=$PWD/apt/sources.list"
options="$options -o Dir::Etc::sourceparts=/dev/null -o Dir::State=$PWD/apt -o Dir::State::status=$PWD/apt/status"
options="$options -o Dir::State::lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt/cache -o Acquire::Languages=none -o APT::Sandbox::User="
# shellcheck disable=SC2086
apt-get $options -o Acquire::Retries=3 update >apt.log 2>&1 || true
# shellcheck disable=SC2086
package=$(apt-cache $options depends linux-image-686 2>/dev/null | sed -n 's/.*Depends: //p' | head -n 1)
# shellcheck disable=SC2086
if [ -z "$package" ] || ! apt-get $options -o Acquire::Retries=3 download "$package" busybox-static >>apt.log 2>&1; then
	echo "the 686 kernel of Debian cannot be downloaded: $(tail -n 1 apt.log)"
	exit 77
fi
rm -rf tree root
for file in *.deb; do
	dpkg -x "$file" tree
done
cp tree/boot/vmlinuz-* vmlinuz

# In the order in which they need each other.
modules="scsi_common scsi_mod libata ata_piix crct10dif_common crc-t10dif crc64 crc64-rocksoft t10-pi sd_mod cdrom sr_mod isofs"
mkdir -p root/bin root/dev root/proc root/sys root/cd root/modules
cp tree/bin/busybox root/bin/
for name in $modules; do
	file=$(find tree/lib/modules -name "$name.ko*")
	case $file in
	*.xz) xz -dc "$file" >"root/modules/$name.ko" ;;
	*) cp "$file" "root/modules/$name.ko" ;;
	esac
	strip -g "root/modules/$name.ko"
done
cat >root/init <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for name in $modules; do insmod /modules/\$name.ko; done
[ -b /dev/sr0 ] || sleep 1
[ -b /dev/sda ] && md5sum /dev/sda && dd if=/dev/sda of=/dev/sda bs=64k count=1 seek=1 conv=notrunc 2>/dev/null && sync && md5sum /dev/sda
[ -b /dev/sr0 ] && mount -t iso9660 /dev/sr0 /cd && md5sum /cd/*
echo "shell on \$(uname -srm)"
# For measuring: ends the machine with status 67 by its exit port.
grep -q v2e.exit /proc/cmdline && printf '!' | dd of=/dev/port bs=1 seek=244 2>/dev/null
# One on each console, so that both can be typed at.
setsid sh -c 'exec sh </dev/tty1 >/dev/tty1 2>&1' &
exec setsid cttyhack sh
END
chmod +x root/init
(cd root && find . | LC_ALL=C sort | cpio --quiet -o -H newc | gzip -n9) >initrd.gz
rm -rf tree root apt
touch done
