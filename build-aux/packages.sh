# Debian packages by purpose, and a function that installs what is missing.
packages_build="gcc libc6-dev make pkg-config libcapstone-dev libglib2.0-dev libpng-dev zlib1g-dev libseccomp-dev libslirp-dev libvncserver-dev libsdl2-dev check"
packages_menu="seabios isolinux syslinux-common gfxboot-themes xorriso cpio"
packages_test="grub-common grub-pc-bin mtools dosfstools e2fsprogs extlinux syslinux memtest86+ ipxe ipxe-qemu debian-installer-12-netboot-amd64 nasm jq chromium clang gdb git xz-utils man-db libjson-glib-dev qemu-system-x86 lcov parallel libxml2-utils libnet-vnc-perl tmux xvfb xdotool x11-apps gnuplot-nox python3 bochs bochsbios vgabios lz4 binutils"

# packages_install PACKAGE...: as root, or by sudo. Without either it prints
# what an administrator has to run and returns 1.
packages_install()
{
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		echo "This is no Debian: not installing packages. Needed are what Debian calls"
		echo "  $*"
		return 0
	fi
	packages_missing=
	for package; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) packages_missing="$packages_missing $package" ;;
		esac
	done
	if [ -z "$packages_missing" ]; then
		echo "All needed packages are installed."
		return 0
	fi
	packages_root=
	if [ "$(id -u)" -ne 0 ]; then
		# Without a terminal nobody can type a password.
		packages_ask=-n
		[ -t 0 ] && packages_ask=
		if ! command -v sudo >/dev/null || ! sudo $packages_ask true; then
			echo "Packages are missing, and this is neither root nor sudo. Please have run:"
			echo "  apt-get install --no-install-recommends$packages_missing"
			return 1
		fi
		packages_root="sudo $packages_ask"
	fi
	echo "Installing:$packages_missing"
	packages_apt="$packages_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3"
	$packages_apt update </dev/null || echo "No fresh package lists; trying with the old ones."
	# shellcheck disable=SC2086
	$packages_apt install --no-install-recommends $packages_missing </dev/null
}
