#!/bin/sh
# run.sh [CASE...]: the boot tests, or those named (firmware isolinux gfxboot hybrid
# channels compare repeat network cycles), one after the other, and one line of sums at the end.
#
# V2E is the program to test. V2E=tests/boot/qemu-as-v2e V2E_CLOCK=real has QEMU
# do the same, which tells whether tests and payloads are sound.
V2E_SRC=$(cd "$(dirname "$0")/../.." && pwd)
export V2E_SRC
. "$V2E_SRC/tests/sum.sh"
[ $# -gt 0 ] || set -- firmware isolinux gfxboot hybrid channels compare repeat cycles network \
	loaders game floppies grub extlinux memtest ipxe linux virtio virtio-cmdline boot-loaders engines
for name; do
	run "boot/$name" "$V2E_SRC/tests/boot/$name.sh"
done
sum_up
