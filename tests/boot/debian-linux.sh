#!/bin/sh
# debian-linux.sh i386|amd64 FOLDER: puts a Debian kernel (686 or amd64) and two initial
# RAM disks with busybox into FOLDER: vmlinuz, initrd.gz, and virtio.gz for virtio.sh.
# Packages come from the archive of that architecture through lists of their own, about
# 60 MB, once; the host's apt is left alone. Exit status 77, with the reason on standard
# output, when they cannot be had.
#
# Words for the kernel's command line: v2e.quick loads no drivers of disks, v2e.exit
# ends the machine instead of waiting for what is typed, with status 67 by its exit port;
# in virtio.gz virtio_mmio.* go to that module, as modprobe would have it.
set -eu
. "$(dirname "$0")/archive.sh"
architecture=$1 target=$2
case $architecture in
i386) flavour=686 ;;
amd64) flavour=amd64 ;;
*) echo "$0: no kernel for $architecture" >&2; exit 2 ;;
esac
mkdir -p "$(dirname "$target")"
# Two tests may want it at the same time.
exec 9>"$target.lock"
flock 9
[ "$target/done" -nt "$0" ] && exit 0
if ! command -v apt-get >/dev/null || ! command -v cpio >/dev/null; then
	echo "no apt-get or no cpio"
	exit 77
fi
mkdir -p "$target"
cd "$target"
rm -f -- *.deb
archive_lists "$architecture"
# shellcheck disable=SC2086
package=$(apt-cache $archive depends linux-image-$flavour 2>/dev/null | sed -n 's/.*Depends: //p' | head -n 1)
if [ -z "$package" ] || ! archive_get "$package" busybox-static; then
	echo "the $flavour kernel of Debian cannot be downloaded: $(tail -n 1 apt.log)"
	exit 77
fi
rm -rf tree root
for file in *.deb; do
	dpkg -x "$file" tree
done
cp tree/boot/vmlinuz-* vmlinuz

# root_with MODULE...: a root folder, with modules in the order in which they need each other.
root_with()
{
	rm -rf root
	mkdir -p root/bin root/dev root/proc root/sys root/cd root/modules
	cp tree/bin/busybox root/bin/
	for name; do
		file=$(find tree/lib/modules -name "$name.ko*")
		case $file in
		*.xz) xz -dc "$file" >"root/modules/$name.ko" ;;
		*) cp "$file" "root/modules/$name.ko" ;;
		esac
		strip -g "root/modules/$name.ko"
	done
}

# pack NAME: the root folder as an initial RAM disk.
pack()
{
	chmod +x root/init
	(cd root && find . | LC_ALL=C sort | cpio --quiet -o -H newc | gzip -n9) >"$1"
}

modules="scsi_common scsi_mod libata ata_piix crct10dif_common crc-t10dif crc64 crc64-rocksoft t10-pi sd_mod cdrom sr_mod isofs"
# shellcheck disable=SC2086
root_with $modules
cat >root/init <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
if ! grep -q v2e.quick /proc/cmdline; then
	for name in $modules; do insmod /modules/\$name.ko; done
	[ -b /dev/sr0 ] || sleep 1
fi
[ -b /dev/sda ] && md5sum /dev/sda && dd if=/dev/sda of=/dev/sda bs=64k count=1 seek=1 conv=notrunc 2>/dev/null && sync && md5sum /dev/sda
[ -b /dev/sr0 ] && mount -t iso9660 /dev/sr0 /cd && md5sum /cd/*
echo "shell on \$(uname -srm)"
grep -q v2e.exit /proc/cmdline && printf '!' | dd of=/dev/port bs=1 seek=244 2>/dev/null
# One on each console, so that both can be typed at.
setsid sh -c 'exec sh </dev/tty1 >/dev/tty1 2>&1' &
exec setsid cttyhack sh
END
pack initrd.gz

modules="virtio virtio_ring virtio_mmio virtio_blk virtio-rng virtio_console failover net_failover virtio_net"
# shellcheck disable=SC2086
root_with $modules
cat >root/init <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for name in $modules; do
	insmod /modules/\$name.ko \$(tr ' ' '\n' </proc/cmdline | sed -n "s/^\$name\.//p")
done
for device in /sys/bus/virtio/devices/*; do
	echo "device \$(cat \$device/device) features \$(cat \$device/features)"
done
md5sum /dev/vda
ifconfig eth0 10.0.2.15 up
echo "half way"
dd if=/dev/vda of=/dev/vda bs=64k count=1 seek=1 conv=notrunc 2>/dev/null
sync
echo 3 >/proc/sys/vm/drop_caches
md5sum /dev/vda
echo "disk \$(cat /sys/block/vda/serial), \$(cat /sys/block/vda/size) sectors"
echo "second disk: \$(dd if=/dev/vdb bs=7 count=1 2>/dev/null)"
echo "random by \$(cat /sys/class/misc/hw_random/rng_current): \$(dd if=/dev/hwrng bs=512 count=8 2>/dev/null | md5sum)"
ping -c 2 10.0.2.2 | grep received
tftp -g -r numbers -l /numbers 10.0.2.2
md5sum /numbers
exec 3<>/dev/hvc0
stty -echo <&3
echo "hvc0 is open"
read -r line <&3
echo "hvc0 read: \$line"
echo "hvc0 wrote: \$line" >&3
grep virtio /proc/interrupts
sleep 1
echo "done on \$(uname -srm)"
exec sh
END
pack virtio.gz
rm -rf tree root apt
touch done
