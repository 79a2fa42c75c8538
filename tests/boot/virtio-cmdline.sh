#!/bin/sh
# Linux finds the virtio devices by its command line, without ACPI. Only if
# V2E_VIRTIO_CMDLINE=1: Debian's kernels cannot, so the module is built anew, from packages
# of 150 MB. Debian's own module is the counter-check: the words alone do nothing.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
if [ "${V2E_VIRTIO_CMDLINE:-0}" != 1 ]; then
	skip "virtio by the command line" "builds a module of Linux from 150 MB of packages; set V2E_VIRTIO_CMDLINE=1"
	finish
fi
. "$boot/virtio-lib.sh"
module=$payloads/virtio-module
reason=$("$boot/virtio-module.sh" "$linux" "$module" 2>&1)
case $? in
0) ;;
77) skip "virtio by the command line" "$reason"; finish ;;
*) echo "$reason"; fail "virtio_mmio is built for $(basename "$linux"/linux-image-*)"; finish ;;
esac
cat "$linux/virtio.gz" "$module/module.gz" >cmdline.gz

words=
for place in 0xfef00000:5 0xfef01000:7 0xfef02000:5 0xfef03000:7 0xfef04000:5; do
	words="$words virtio_mmio.device=4K@$place"
done

# boots NAME INITRD ARGUMENTS...
boots()
{
	name=$1 initrd=$2
	shift 2
	# shellcheck disable=SC2086
	with_devices "$name" --engine "$engine" --clock "${V2E_CLOCK:-virtual}" ${V2E_OPTIONS:-} --snapshot --initrd "$initrd" \
		--append "console=ttyS0,115200 panic=-1 tsc=unstable acpi=off$words" "$@"
}

check "Linux boots with a module that reads the words" boots cmdline cmdline.gz --do 'wait-serial "done on Linux" 3000s' --do quit
n=0
for place in fef00000-0xfef00fff,.IRQ.5 fef01000-0xfef01fff,.IRQ.7 fef02000-0xfef02fff,.IRQ.5 \
	fef03000-0xfef03fff,.IRQ.7 fef04000-0xfef04fff,.IRQ.5; do
	check "cmdline: page $n comes from the words" has serial "Registering device virtio-mmio\.$n at 0x$place"
	n=$((n + 1))
done
for id in 4 3 1 2; do
	check "cmdline: device $id is found" has serial "^device 0x000$id features [01]\{28\}11001"
done
looks_at cmdline
check "cmdline: the disk is read" has serial "^$before  /dev/vda"
check "Linux boots with Debian's module" boots stock "$linux/virtio.gz" --do 'wait-serial "half way" 800s' --do quit
check "stock: it does not know the word" has serial "virtio_mmio: unknown parameter 'device' ignored"
check "stock: it finds nothing" sh -c "! grep -E 'Registering device virtio-mmio|^device 0x' stock.serial"
finish
