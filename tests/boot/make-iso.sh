#!/bin/sh
# make-iso.sh FOLDER OUT.iso: an ISO image that boots FOLDER/boot/isolinux by
# ISOLINUX. Adds isolinux.bin and the modules that it always needs; further
# modules (vesamenu.c32 ...) are named by the files FOLDER/boot/isolinux/*.c32
# that the caller has left empty.
set -eu
if [ $# -ne 2 ]; then
	echo "usage: $0 FOLDER OUT.iso" >&2
	exit 2
fi
folder=$1 out=$2
modules=/usr/lib/syslinux/modules/bios
loader=/usr/lib/ISOLINUX/isolinux.bin
for need in "$loader:isolinux" "$modules/ldlinux.c32:syslinux-common"; do
	if [ ! -r "${need%:*}" ]; then
		echo "$0: ${need%:*} is missing (Debian: apt install ${need#*:})" >&2
		exit 1
	fi
done
if ! command -v xorriso >/dev/null; then
	echo "$0: xorriso is missing (Debian: apt install xorriso)" >&2
	exit 1
fi

isolinux=$folder/boot/isolinux
cp "$loader" "$modules/ldlinux.c32" "$isolinux/"
for module in "$isolinux"/*.c32; do
	[ -s "$module" ] || cp "$modules/${module##*/}" "$module"
done

# The same files give the same image.
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH
mkdir -p "$(dirname "$out")"
if ! xorriso -as mkisofs -quiet -o "$out.new" -V V2E -J -R \
	-b boot/isolinux/isolinux.bin -c boot/isolinux/boot.cat \
	-no-emul-boot -boot-load-size 4 -boot-info-table "$folder" >"$out.log" 2>&1; then
	cat "$out.log" >&2
	rm -f "$out.new"
	exit 1
fi
rm -f "$out.log"
mv "$out.new" "$out"
