#!/bin/sh
# prepare.sh FOLDER: puts a Debian kernel (cloud flavour) and its modules for KVM
# into FOLDER: vmlinux, irqbypass.ko, kvm.ko, kvm-amd.ko, kvm-intel.ko. Downloads
# packages only, once; exit status 77 when there are none to be had.
set -eu
target=$1
mkdir -p "$target/package"
exec 9>"$target/lock"
flock 9 # two of these may want it at a time
[ -f "$target/done" ] && exit 0
cd "$target/package"
package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)/\1/p' | head -n 1)
if [ -z "$package" ]; then
	echo "nested: apt knows no linux-image-cloud-amd64 (apt-get update)"
	exit 77
fi
if ! ls "$package"_*.deb >/dev/null 2>&1 && ! apt-get -q download "$package" >&2; then
	echo "nested: $package cannot be downloaded"
	exit 77
fi
rm -rf tree
dpkg -x "$(ls "$package"_*.deb | tail -n 1)" tree

# The kernel without its decompressor: offset and length of the payload stand in the
# set-up header (Documentation/arch/x86/boot.rst); its last word is the size.
number()
{
	od -A n -t u4 -j "$2" -N 4 "$1" | tr -d ' '
}
kernel=$(ls tree/boot/vmlinuz-*)
sectors=$(od -A n -t u1 -j $((0x1f1)) -N 1 "$kernel" | tr -d ' ')
offset=$((($sectors + 1) * 512 + $(number "$kernel" $((0x248)))))
tail -c +$((offset + 1)) "$kernel" | head -c $(($(number "$kernel" $((0x24c))) - 4)) >payload
lz4 -qdf payload "$target/vmlinux"

for name in virt/lib/irqbypass.ko arch/x86/kvm/kvm.ko arch/x86/kvm/kvm-amd.ko arch/x86/kvm/kvm-intel.ko; do
	file=$(ls tree/lib/modules/*/kernel/$name*)
	case $file in
	*.xz) xz -dc "$file" >"$target/$(basename $name)" ;;
	*) cp "$file" "$target/$(basename $name)" ;;
	esac
	# What only a debugger or BTF wants makes loading slow in an emulator.
	strip -g "$target/$(basename $name)"
	objcopy -R .BTF -R .orc_unwind -R .orc_unwind_ip -R .rela.orc_unwind_ip "$target/$(basename $name)"
done
rm -rf tree payload
touch "$target/done"
