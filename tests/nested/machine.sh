#!/bin/sh
# machine.sh MODE FOLDER: starts a Linux with a real KVM in an emulated machine and
# runs the commands in FOLDER/commands there, one a line, words parted by tabs.
# FOLDER/files lists what goes in, one "name=path" a line; programs are static, or
# their libraries are among it. What they print goes to standard output, and behind each
# "nested: N STATUS". Exit status: 0 when all were run, 77 when something is missing.
#
# MODE: amd            kvm_amd on QEMU's emulation of SVM
#       amd-nonpt      the same without nested paging
#       intel          kvm_intel on Bochs's of VMX, with EPT and unrestricted guest
#       intel-nourg    the same without unrestricted guest
#       intel-noept    without EPT, and therefore without unrestricted guest
# With V2E_NESTED_COUNT=1 amd's time is counted in instructions, one a nanosecond.
set -eu
mode=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
cache=${V2E_NESTED:-${XDG_CACHE_HOME:-$HOME/.cache}/v2e-nested}
memory=256
vendor=intel parameters=
case $mode in
amd) vendor=amd memory=512 ;;
amd-nonpt) vendor=amd memory=512 parameters=npt=0 ;;
intel | intel-noept) ;;
intel-nourg) parameters=unrestricted_guest=0 ;;
*) echo "nested: no mode $mode" >&2; exit 2 ;;
esac
need()
{
	command -v "$1" >/dev/null && return
	echo "nested: no $1 (Debian: apt install $2)"
	exit 77
}
need cpio cpio
need lz4 lz4
need xz xz-utils
need strip binutils
if [ $vendor = amd ]; then
	need qemu-system-x86_64 qemu-system-x86
else
	need bochs-bin bochs
	need nasm nasm
fi
"$here/prepare.sh" "$cache"

work=$(mktemp -d "${TMPDIR:-/tmp}/v2e-nested.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root
mkdir -p "$root/dev"
"${CC:-cc}" -O2 -static -o "$root/init" "$here/init.c"
cp "$folder/commands" "$root/commands"
for module in irqbypass kvm kvm-$vendor; do
	cp "$cache/$module.ko" "$root/$module.ko"
done
printf '/irqbypass.ko\n/kvm.ko\n/kvm-%s.ko\t%s\n' $vendor "$parameters" >"$root/modules"
while IFS='=' read -r name path; do
	mkdir -p "$(dirname "$root/$name")"
	cp -L "$path" "$root/$name"
done <"$folder/files"
(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/initrd"

# A loaded host cannot keep the time that the check of the timer wants.
line="console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off nokaslr noreplace-smp random.trust_cpu=on"
line="$line rcupdate.rcu_expedited=1 nowatchdog audit=0 lsm= cryptomgr.notests 8250.nr_uarts=1 no_timer_check"
if [ $vendor = amd ]; then
	# shellcheck disable=SC2086
	timeout "${V2E_NESTED_TIMEOUT:-900}" qemu-system-x86_64 -M pc -accel tcg,thread=single,tb-size=256 -cpu EPYC -smp 1 \
		${V2E_NESTED_COUNT:+-icount shift=0,sleep=off} -m $memory -nodefaults -no-user-config -display none -serial stdio -no-reboot \
		-device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$cache/vmlinux" -initrd "$work/initrd" \
		-append "$line" </dev/null >"$work/serial" 2>"$work/errors" || :
else
	"$here/bochs.sh" "$mode" "$work" "$cache/vmlinux" $memory "$line nosmp highres=off nohz=off lapic=notscdeadline" || : # that is how it ends
fi
tr -d '\r' <"$work/serial"
if ! grep -q '^nested: end' "$work/serial"; then
	echo "nested: the machine did not come to its end"
	cat "$work/errors" 2>/dev/null || :
	exit 1
fi
