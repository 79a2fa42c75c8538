# For the tests of Linux with virtio devices, after tests/boot/lib.sh: a kernel, files for
# the devices, runs, and what a run has to leave.
need cpio cpio
need_linux "Linux with virtio"
if "$V2E" run --net user --net-model virtio --do quit 2>&1 | grep -q 'built without libslirp'; then
	skip "Linux with virtio" "v2e was built without libslirp (Debian: apt install libslirp-dev)"
	finish
fi

# A disk of numbers; the guest copies its first 64 KiB over the second.
awk 'BEGIN { srand(8); for (i = 0; i < 400000; i++) print rand() }' >numbers
head -c 2M numbers >disk.img
printf 'another' >second.img && truncate -s 64K second.img
mkdir tftp && head -c 300000 numbers >tftp/numbers
before=$(md5sum <disk.img | cut -c1-32)
cp disk.img expected.img && dd if=disk.img of=expected.img bs=64k count=1 seek=1 conv=notrunc status=none
after=$(md5sum <expected.img | cut -c1-32)
file=$(md5sum <tftp/numbers | cut -c1-32)

# What is typed when the guest listens; the guest says so on its serial port.
type_when_open()
{
	while ! grep -q '^hvc0 is open' "$1" 2>/dev/null && [ ! -e ended ]; do
		sleep 0.1
	done
	echo "typed at hvc0"
}

# runs NAME ARGUMENTS...: leaves the files NAME.serial and NAME.console.
runs()
{
	name=$1
	shift
	rm -f ended
	type_when_open "$name.serial" | {
		"$V2E" run --virtio-console stdio --net user --net-tftp tftp --trace guest-error --serial "file:$name.serial" "$@" >"$name.console" 2>err
		status=$?
		: >ended
		exit $status
	}
	status=$?
	cat err "$name.console"
	[ $status -eq 0 ] || tail -n 20 "$name.serial"
	return $status
}

# with_devices NAME ARGUMENTS...: the machine that has one of each, and a second disk.
with_devices()
{
	name=$1
	shift
	runs "$name" -m 64M --kernel "$linux/vmlinuz" --virtio-rng --virtio-disk disk.img --virtio-disk second.img \
		--net-model virtio "$@"
}

has() { grep -q -e "$2" "$name.$1"; }

# looks_at NAME: what the second half of a run has left.
looks_at()
{
	name=$1
	check "$1: what the disk was given is read back" has serial "^$after  /dev/vda"
	check "$1: the disk has its name and size" has serial '^disk v2e-virtio-0, 4096 sectors'
	check "$1: the second disk is another" has serial '^second disk: another'
	check "$1: random numbers come" has serial '^random by virtio_rng\.0: [0-9a-f]\{32\}'
	check "$1: the network answers" has serial '^2 packets transmitted, 2 packets received'
	check "$1: a file comes by TFTP" has serial "^$file  /numbers"
	check "$1: the console is read" has serial '^hvc0 read: typed at hvc0'
	check "$1: the console is written" has console '^hvc0 wrote: typed at hvc0'
	check "$1: by interrupts" has serial 'XT-PIC *virtio'
	check "$1: nothing went wrong" sh -c "! grep -E 'Oops|BUG:|WARNING:|Call Trace|I/O error|virtio[^:].*(fail|error)' $1.serial && ! grep virtio err"
}
