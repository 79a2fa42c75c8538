#!/bin/sh
# Debian's 32-bit kernel finds the virtio devices by ACPI and uses them, with both
# interfaces: what it reads from the disk, and what it wrote, is what is there; random
# numbers come; a ping and a file cross the network; the console goes both ways.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
. "$boot/virtio-lib.sh"

# boots NAME ARGUMENTS...
boots()
{
	name=$1
	shift
	with_devices "$name" --append 'console=ttyS0,115200 panic=-1 tsc=unstable' --initrd "$linux/virtio.gz" "$@"
}

if [ "$engine" != emu ]; then
	# shellcheck disable=SC2086
	check "$engine" boots $engine --engine $engine ${V2E_OPTIONS:-} --snapshot --do 'wait-serial "done on Linux" 800s' --do quit
	looks_at $engine
	finish
fi
clock=${V2E_CLOCK:-virtual}
check "Linux boots and finds what it wants" boots modern --engine emu --clock "$clock" --snapshot --do 'wait-serial "half way" 800s' \
	--do 'save half.state' --do 'wait-serial "done on Linux" 3000s' --do quit
looks_at modern
check "modern: the disk is read" has serial "^$before  /dev/vda"
for id in 1 2 3 4; do
	check "modern: device $id, of version 1.0, with indirect descriptors and event index" \
		has serial "^device 0x000$id features [01]\{28\}11001"
done
check "the files are as they were" test "$(md5sum <disk.img | cut -c1-32)" = "$before"
check "a run that was saved goes on" runs restored --engine emu --clock "$clock" --snapshot --restore half.state \
	--do 'wait-serial "done on Linux" 3000s' --do quit
looks_at restored
check "the interface before 1.0" boots legacy --engine emu --clock "$clock" --virtio-legacy --do 'wait-serial "done on Linux" 3000s' --do quit
looks_at legacy
for id in 1 2 3 4; do
	check "legacy: device $id" has serial "^device 0x000$id features [01]\{28\}11000"
done
check "what the guest wrote is in the file" cmp disk.img expected.img

# Hybrid, where the CPU runs protected mode: v2e run says so by choosing it.
if "$V2E" run --do quit --stats 2>&1 | grep -q '^engine hybrid'; then
	check "hybrid" boots hybrid --engine hybrid --snapshot --do 'wait-serial "done on Linux" 800s' --do quit
	looks_at hybrid
else
	skip "hybrid" "$("$V2E" run --do quit --stats 2>&1 | sed -n 's/^engine //p')"
fi
finish
