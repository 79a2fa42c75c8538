#!/bin/sh
# payloads.sh [MODE...]: payloads under the engines of a real kvm_amd: what tests/boot
# shows of them in the emulator, on the way from the firmware to the same words on the
# screen. All of them take a quarter of an hour: V2E_NESTED_ALL=1; what is not in each run is
# skipped else. MODE is one of machine.sh's, amd and amd-nonpt by default; intel takes
# several times as long.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/nested/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
firmware=/usr/share/seabios
need nasm nasm
need $firmware/bios.bin seabios
need_v2e
[ $# -gt 0 ] || set -- amd amd-nonpt
assemble game && assemble kernel && assemble hello || exit 1

# --- what the machines get -------------------------------------------------------------

# machine MODE: what follows is for this one.
machine()
{
	mkdir -p "$mode"
	file v2e "$tmp/v2e"
	file bios.bin $firmware/bios.bin
	file vgabios.bin $firmware/vgabios-stdvga.bin
}
file() { grep -qx "$1=$2" "$mode/files" 2>/dev/null || echo "$1=$2" >>"$mode/files"; } # NAME PATH

# ends STATUS ENGINE NAME PROGRAM OPTIONS...: one more command.
ends()
{
	printf '%s %s, %s\n' "$1" "$3" "$2" >>"$mode/names"
	printf '%s\trun\t--engine\t%s\t--vgabios\t/vgabios.bin\t--snapshot\t--stats\t--log\t/log\t--timeout\t1800s' "$4" "$2" >>"$mode/commands"
	shift 4
	for word; do
		printf '\t%s' "$word" >>"$mode/commands"
	done
	echo >>"$mode/commands"
}

# all ENGINE NAME: is it wanted, though it is slow?
all()
{
	[ "${V2E_NESTED_ALL:-0}" != 1 ] || return 0
	skip "$2, $1" "a quarter of an hour for all of them; set V2E_NESTED_ALL=1"
	return 1
}

cpu=p6
# shown ENGINE NAME OPTIONS...: ends with status 0 by quit, after what was to be seen.
shown()
{
	on=$1 what=$2
	shift 2
	ends 0 "$on" "$what" /v2e --bios /bios.bin -m 64M --cpu "$cpu" "$@" --do quit
}

# both NAME OPTIONS..., later ENGINES NAME OPTIONS...: under hybrid and under KVM alone,
# in each run; only if all are wanted.
both()
{
	for each in hybrid kvm; do
		shown $each "$@"
	done
}
later()
{
	engines=$1
	shift
	for each in $engines; do
		! all "$each" "$1" || shown "$each" "$@"
	done
}

started='wait-text "Kernel started with: " 400s'

# --- firmware, boot sectors, loaders ------------------------------------------------------

sectors()
{
	file game.bin "$payloads/game.bin"
	both "the game" /game.bin --do 'wait-text "Take the stars" 800s' --do 'keys <up><up><up>' --do 'wait-text "The mine has got you" 60s'
	later 'hybrid kvm' "SeaBIOS with nothing to boot" --do 'wait-text "No bootable device" 800s'
	for format in '160 40 1 8' '1440 80 2 18' '2880 80 2 36'; do
		# shellcheck disable=SC2086
		set -- $format
		size=$1
		nasm -f bin -DTRACKS="$2" -DHEADS="$3" -DSECTORS="$4" -o floppy-$size.img "$boot/floppy.asm" || exit 1
		seq $((size * 100)) | head -c $((size * 1024 - 512)) >>floppy-$size.img
		truncate -s $((size * 1024)) floppy-$size.img
		sum=$(od -An -v -tu2 -w2 floppy-$size.img | awk '{ s = (s + $1) % 65536 } END { printf "%04X", s }')
		file floppy-$size.img "$tmp/floppy-$size.img"
		later 'hybrid kvm' "a floppy of ${size}K" /floppy-$size.img --do "wait-text \"Sum of all sectors: $sum\" 800s"
	done
}

# The example kernel; it ends by the exit port.
loaders()
{
	if ! "$V2E_SRC/tests/guest/make-kernel.sh" elf >make.out 2>&1; then
		skip "kernels by ELF and multiboot" "no compiler for 32-bit code: $(tail -n 1 make.out)"
		return
	fi
	for version in 1 2; do
		"$V2E_SRC/tests/guest/make-kernel.sh" mb$version -DMULTIBOOT=$version || exit 1
	done
	for name in elf mb1 mb2; do
		file $name "$tmp/$name"
		for each in hybrid kvm; do
			ends 67 $each "the loader of $name" /v2e --bios /bios.bin -m 64M --exit-port 0xf4 --serial stdio --threshold 0 --virtio-rng /$name
		done
	done
	file kernel.bin "$payloads/kernel.bin"
	later 'hybrid kvm' "a Linux kernel's set-up code" --kernel /kernel.bin --append number=3 --do "$started"
}

# --- boot loaders -----------------------------------------------------------------------------

with_isolinux()
{
	if ! have xorriso || [ ! -r /usr/lib/ISOLINUX/isolinux.bin ]; then
		skip "ISOLINUX" "no isolinux or no xorriso (Debian: apt install isolinux xorriso)"
		return
	fi
	mkdir -p isolinux/boot/isolinux vesa/boot/isolinux
	cp "$payloads/kernel.bin" isolinux/boot/isolinux/linux
	printf 'prompt 1\ntimeout 0\nlabel first\n  kernel linux\n' >isolinux/boot/isolinux/isolinux.cfg
	"$boot/make-iso.sh" isolinux isolinux.iso || exit 1
	file isolinux.iso "$tmp/isolinux.iso"
	both "ISOLINUX" /isolinux.iso --do 'wait-text "boot:" 800s' --do 'type first' --do 'keys <enter>' --do "$started"

	if [ ! -r /usr/lib/syslinux/modules/bios/vesamenu.c32 ]; then
		skip "vesamenu and gfxboot" "no syslinux-common (Debian: apt install syslinux-common)"
		return
	fi
	cp "$payloads/kernel.bin" vesa/boot/isolinux/linux
	for module in vesamenu libcom32 libutil libmenu menu; do
		: >vesa/boot/isolinux/$module.c32
	done
	printf 'ui vesamenu.c32\nprompt 0\ntimeout 0\nlabel first\n  kernel linux\nlabel second\n  kernel linux\n  append number=2\n' >vesa/boot/isolinux/isolinux.cfg
	"$boot/make-iso.sh" vesa vesa.iso || exit 1
	file vesa.iso "$tmp/vesa.iso"
	later 'hybrid kvm' "vesamenu" /vesa.iso --do 'wait-text ISOLINUX 800s' --do 'wait-stable 15s 800s' --do 'keys <down>' \
		--do 'wait-stable 5s 60s' --do 'keys <enter>' --do 'wait-text "number=2" 400s'

	if ! have cpio || [ ! -d /etc/bootsplash/themes ]; then
		skip "gfxboot" "no cpio or no gfxboot-themes (Debian: apt install cpio gfxboot-themes)"
		return
	fi
	for theme in SLES openSUSE; do
		"$boot/make-gfxboot-iso.sh" $theme $theme.iso "$payloads/kernel.bin" 1 packed || exit 1
		file $theme.iso "$tmp/$theme.iso"
	done
	shown hybrid "gfxboot, SLES" /SLES.iso --do "wait-text \"Kernel started with: \" 800s"
	later kvm "gfxboot, SLES" /SLES.iso --do "wait-text \"Kernel started with: \" 800s"
	later 'hybrid kvm' "gfxboot, openSUSE" /openSUSE.iso --do "wait-text \"Kernel started with: \" 800s"
}

# By the installer that needs no mounted file system.
with_extlinux()
{
	if ! have syslinux || ! have mkfs.fat || ! have mcopy; then
		skip "EXTLINUX" "no syslinux, dosfstools or mtools (Debian: apt install them)"
		return
	fi
	truncate -s 8M fat.img && mkfs.fat -F 16 -s 1 fat.img >/dev/null || exit 1
	printf 'prompt 1\ntimeout 0\nlabel first\n  kernel linux\n' >syslinux.cfg
	mcopy -i fat.img "$payloads/kernel.bin" ::linux && mcopy -i fat.img syslinux.cfg ::syslinux.cfg && syslinux --install fat.img || exit 1
	file fat.img "$tmp/fat.img"
	later 'hybrid kvm' "EXTLINUX" --disk /fat.img --do 'wait-text "boot:" 800s' --do 'type first' --do 'keys <enter>' --do "$started"
}

# An entry of GRUB's menu, by the number of times that the bar is moved.
entry() { printf 'keys %s<enter>' "$(printf '<down>%.0s' $(seq "$1"))"; }
with_grub()
{
	if ! have grub-mkrescue || ! have mformat || [ ! -r /usr/lib/grub/i386-pc/boot.img ]; then
		skip "GRUB" "no grub-mkrescue, mtools or grub-pc-bin (Debian: apt install grub-common mtools grub-pc-bin)"
		return
	fi
	mkdir -p grub/boot/grub
	cp "$payloads/kernel.bin" "$payloads/hello.bin" grub/boot/
	[ ! -e mb1 ] || cp mb1 mb2 grub/boot/
	cat >grub/boot/grub/grub.cfg <<-'END'
		set timeout=-1
		menuentry "Linux entry" {
			linux16 /boot/kernel.bin number=1
		}
		menuentry "Chain entry" {
			chainloader /boot/hello.bin
		}
		menuentry "Multiboot entry" {
			multiboot /boot/mb1
		}
		menuentry "Last entry" {
			multiboot2 /boot/mb2
		}
	END
	grub-mkrescue -d /usr/lib/grub/i386-pc --fonts= --locales= --themes= -o grub.iso grub \
		--install-modules="biosdisk iso9660 normal linux16 chain multiboot multiboot2 test echo configfile" >mkrescue.log 2>&1 || { cat mkrescue.log; exit 1; }
	file grub.iso "$tmp/grub.iso"
	menu='wait-text "Last entry" 800s'
	shown hybrid "GRUB and a kernel" /grub.iso --do "$menu" --do 'keys <enter>' --do "$started"
	later kvm "GRUB and a kernel" /grub.iso --do "$menu" --do 'keys <enter>' --do "$started"
	shown kvm "GRUB and another boot sector" /grub.iso --do "$menu" --do "$(entry 1)" --do 'wait-text "Hello from drive" 400s'
	later hybrid "GRUB and another boot sector" /grub.iso --do "$menu" --do "$(entry 1)" --do 'wait-text "Hello from drive" 400s'
	[ -e mb1 ] || return 0
	later 'hybrid kvm' "GRUB and multiboot" /grub.iso --serial stdio --do "$menu" --do "$(entry 2)" --do 'wait-serial "all is loaded" 400s'
	later 'hybrid kvm' "GRUB and multiboot 2" /grub.iso --serial stdio --do "$menu" --do "$(entry 3)" --do 'wait-serial "all is loaded" 400s'
}

# From the partition of a disk to Debian's kernel; linux.sh has it without a boot loader.
grub_to_linux()
{
	all "hybrid and kvm" "GRUB and Debian's kernel" || return 0
	have grub-mkimage && have mke2fs || { skip "GRUB and Debian's kernel" "no grub-common or e2fsprogs"; return; }
	reason=$("$boot/debian-linux.sh" i386 "$payloads/debian-i386" 2>&1) || { skip "GRUB and Debian's kernel" "$reason"; return; }
	mkdir -p disk/boot/grub
	cp "$payloads/debian-i386/vmlinuz" disk/boot/linux && cp "$payloads/debian-i386/initrd.gz" disk/boot/initrd
	cat >disk/boot/grub/grub.cfg <<-END
		set timeout=-1
		menuentry "Last entry" {
			linux /boot/linux console=ttyS0,115200 quiet tsc=reliable lpj=4000000 mitigations=off nokaslr noapic nolapic nosmp no_timer_check random.trust_cpu=on v2e.quick v2e.exit
			initrd /boot/initrd
		}
	END
	"$boot/make-grub-disk.sh" ext2 disk linux.img 24 "normal linux echo test" || exit 1
	file linux.img "$tmp/linux.img"
	for each in hybrid kvm; do
		ends 67 $each "GRUB on a disk and Debian's kernel" /v2e --bios /bios.bin -m 96M --cpu p6 --disk /linux.img --exit-port 0xf4 --serial stdio \
			--do 'wait-text "Last entry" 800s' --do 'keys <enter>' --do 'sleep 1h'
	done
}

# --- Memtest86+ and iPXE -----------------------------------------------------------------------

memtest=/boot/memtest86+ia32.bin
first_test() # FUNCTION WORDS... of shown or both
{
	"$@" --do 'wait-text "Memtest86+ v6" 800s' --do 'wait-text "Press <F1>" 60s' --do 'keys <enter>' --do 'wait-text "Pattern: 0x" 400s'
}
with_memtest()
{
	if [ ! -r $memtest ]; then
		skip "Memtest86+" "no $memtest (Debian: apt install memtest86+)"
		return
	fi
	file memtest $memtest
	cpu=pentium
	[ "$mode" = amd ] || cpu=p6
	first_test both "Memtest86+" --kernel /memtest
	cpu=p6
}

# It loads the same four entries of PAE twice. QEMU sets the accessed bit in them while it
# walks them for a guest with nested paging, which no processor does; KVM takes that for a
# reserved bit, as it is, and the second MOV to CR0 for a #GP: check 4 of pae.asm. KVM's
# own tables are walked without nested paging.
with_pae()
{
	nasm -f bin -w-all -I "$V2E_SRC/tests/guest/" -o pae "$V2E_SRC/tests/guest/pae.asm" || exit 1
	file pae "$tmp/pae"
	for each in hybrid kvm; do
		ends 85 $each "PAE twice" /v2e --bios /pae --exit-port 0xf4 --serial stdio --threshold 0
	done
	[ -r $memtest ] || return 0
	file memtest $memtest
	first_test both "Memtest86+ with PAE" --kernel /memtest
}

with_ipxe()
{
	if [ ! -r /usr/lib/ipxe/ipxe.iso ]; then
		skip "iPXE" "no /usr/lib/ipxe/ipxe.iso (Debian: apt install ipxe)"
		return
	fi
	file ipxe.iso /usr/lib/ipxe/ipxe.iso
	file ipxe.lkrn /usr/lib/ipxe/ipxe.lkrn
	both "iPXE" /ipxe.iso --do 'wait-text "iPXE initialising devices...ok" 800s' --do 'wait-text "Ctrl-B" 200s'
	later 'hybrid kvm' "iPXE as a kernel" --kernel /ipxe.lkrn --do 'wait-text "iPXE initialising devices...ok" 800s' --do 'wait-text "Ctrl-B" 200s'
}

# There is no static libslirp: v2e as it was built, and its libraries.
with_network()
{
	all "hybrid and kvm" "a program from the network" || return 0
	rom=/usr/lib/ipxe/qemu/pxe-e1000.rom
	if [ ! -r $rom ] || ! ldd "$V2E" | grep -q libslirp; then
		skip "a program from the network" "no $rom or no libslirp (Debian: apt install ipxe-qemu libslirp-dev)"
		return
	fi
	assemble pxe || exit 1
	file dynamic "$V2E"
	ldd "$V2E" | sed -n 's,.*\(/lib[^ ]*/\)\([^ /]*\) (.*,\1\2,p' >libraries
	while read -r library; do
		case $library in
		*/ld-linux*) file "lib64/${library##*/}" "$library" ;;
		*) file "lib/x86_64-linux-gnu/${library##*/}" "$library" ;;
		esac
	done <libraries
	file rom $rom
	file tftp/hello.0 "$payloads/pxe.bin"
	for each in hybrid kvm; do
		ends 0 $each "a program from the network" /dynamic --bios /bios.bin -m 64M --cpu p6 --net user --net-rom /rom --net-tftp /tftp \
			--net-bootfile hello.0 --do 'wait-text "Hello from the network" 1200s' --do quit
	done
}

# --- runs and verdicts ------------------------------------------------------------------------------

# said NUMBER: what the machine said while it ran this command.
said() { tr '\r' '\n' <"$mode/out" | grep -v ' insn/s' | awk -v wanted="$1" 'BEGIN { n = 1 } n == wanted; /^nested: [0-9]/ { n++ }'; }
ended_with() { said "$1"; said "$1" | grep -q "^nested: $1 $2$"; }
by_kvm() { said "$1" | grep -q '^kvm.exits [1-9]'; }

judge()
{
	V2E_NESTED_TIMEOUT=${V2E_NESTED_TIMEOUT:-$([ "${V2E_NESTED_ALL:-0}" = 1 ] && echo 9000 || echo 1200)} \
		"$nested/machine.sh" "$mode" "$mode" >"$mode/out" 2>&1
	ended=$?
	[ -z "${V2E_KEEP:-}" ] || cp "$mode/out" "$V2E_KEEP/nested-payloads-$mode.out"
	if [ $ended -eq 77 ]; then
		skip "payloads in a nested machine" "$(tail -n 1 "$mode/out")"
		return
	fi
	number=0
	while read -r status name; do
		number=$((number + 1))
		check "$mode: $name" ended_with $number "$status"
		check "$mode: $name: KVM had its part of it" by_kvm $number
	done <"$mode/names"
	check "$mode: the machine ends by itself" test $ended -eq 0
}

for mode; do
	machine "$mode"
	case $mode in
	amd-nonpt)
		with_pae ;;
	*)
		sectors
		loaders
		with_isolinux
		with_extlinux
		with_grub
		grub_to_linux
		with_memtest
		with_ipxe
		with_network ;;
	esac
	judge
done
finish
