#!/bin/sh
# make-gfxboot-iso.sh THEME OUT.iso [KERNEL [TIMEOUT [packed]]]: a CD with the graphical
# boot menu of Debian's package gfxboot-themes (SLES, SLED, openSUSE, KDE,
# upstream). KERNEL is what the menu starts; without it the entries lead
# nowhere. TIMEOUT, in tenths of a second, starts the first entry by itself.
#
# From a CD the menu begins with an intro, in which it waits for some 60 ticks of
# the clock. With `packed` it is the archive for hard disks, which has none.
set -eu
if [ $# -lt 2 ] || [ $# -gt 5 ]; then
	echo "usage: $0 THEME OUT.iso [KERNEL [TIMEOUT [packed]]]" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
theme=$1 out=$2 kernel=${3:-} timeout=${4:-0} packed=${5:-}
themes=/etc/bootsplash/themes
if [ ! -d $themes ]; then
	echo "$0: no themes in $themes (Debian: apt install gfxboot-themes)" >&2
	exit 1
fi
if [ ! -r "$themes/$theme/cdrom/bootlogo" ]; then
	echo "$0: no theme $theme; there are: $(cd $themes && echo *)" >&2
	exit 1
fi
if ! command -v cpio >/dev/null; then
	echo "$0: cpio is missing (Debian: apt install cpio)" >&2
	exit 1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/v2e-iso.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
isolinux=$work/cd/boot/isolinux
mkdir -p "$isolinux" "$work/logo"

# The menu reads fonts, pictures and texts from the archive that it came from;
# the package ships them loose beside it.
cp "$themes/$theme/cdrom/"* "$work/logo/"
(
	cd "$work/logo"
	cpio --quiet -idu <bootlogo
	rm bootlogo
	# By default now and then, by the date, penguins fill the screen.
	sed -i 's/^penguin=.*/penguin=0/' gfxboot.cfg
	find . -type f | LC_ALL=C sort | sed 's,^\./,,' | cpio --quiet -o >"$isolinux/bootlogo"
)
[ -z "$packed" ] || cp "$themes/$theme/bootloader/message" "$isolinux/bootlogo"

if [ -n "$kernel" ]; then
	cp "$kernel" "$isolinux/linux"
else
	echo "nothing to boot" >"$isolinux/linux"
fi
echo "no initial RAM disk" >"$isolinux/initrd"
: >"$isolinux/gfxboot.c32"
: >"$isolinux/libcom32.c32"
: >"$isolinux/libutil.c32"
cat >"$isolinux/isolinux.cfg" <<END
default linux
ui gfxboot bootlogo
prompt 1
timeout $timeout
label linux
  kernel linux
  append initrd=initrd entry=installation
label failsafe
  kernel linux
  append initrd=initrd entry=failsafe
label rescue
  kernel linux
  append initrd=initrd entry=rescue
label firmware
  kernel linux
  append initrd=initrd entry=firmware
label memtest
  kernel linux
  append initrd=initrd entry=memtest
END
"$here/make-iso.sh" "$work/cd" "$out"
