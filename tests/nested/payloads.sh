#!/bin/sh
# Payloads under the engines of a real kvm_amd: what tests/boot shows of them in the
# emulator, on the way from the firmware to the same words on the screen.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/nested/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
firmware=/usr/share/seabios
need nasm nasm
need $firmware/bios.bin seabios
need_v2e
assemble game && assemble kernel && assemble hello || exit 1
mkdir machine

# add ENGINE NAME OPTIONS...: one more command; it ends with status 0.
add()
{
	echo "$2, $1" >>machine/names
	printf '/v2e\trun\t--engine\t%s\t--bios\t/bios.bin\t--vgabios\t/vgabios.bin\t-m\t64M\t--cpu\tp6\t--snapshot\t--stats\t--log\t/log\t--timeout\t900s' "$1" >>machine/commands
	shift 2
	for word; do
		printf '\t%s' "$word" >>machine/commands
	done
	printf '\t--do\tquit\n' >>machine/commands
}
file() { echo "$1=$2" >>machine/files; } # NAME PATH

file v2e "$tmp/v2e"
file bios.bin $firmware/bios.bin
file vgabios.bin $firmware/vgabios-stdvga.bin
file game.bin "$payloads/game.bin"
for engine in hybrid kvm; do
	add $engine "the game" /game.bin --do 'wait-text "Take the stars" 800s' --do 'keys <up><up><up>' --do 'wait-text "The mine has got you" 60s'
done

if have xorriso && [ -r /usr/lib/ISOLINUX/isolinux.bin ]; then
	mkdir -p isolinux/boot/isolinux
	cp "$payloads/kernel.bin" isolinux/boot/isolinux/linux
	printf 'prompt 1\ntimeout 0\nlabel first\n  kernel linux\n' >isolinux/boot/isolinux/isolinux.cfg
	"$boot/make-iso.sh" isolinux isolinux.iso || exit 1
	file isolinux.iso "$tmp/isolinux.iso"
	for engine in hybrid kvm; do
		add $engine "ISOLINUX" /isolinux.iso --do 'wait-text "boot:" 800s' --do 'type first' --do 'keys <enter>' --do 'wait-text "Kernel started with: " 200s'
	done
else
	skip "ISOLINUX" "no isolinux or no xorriso (Debian: apt install isolinux xorriso)"
fi

if have xorriso && have cpio && [ -r /usr/lib/syslinux/modules/bios/gfxboot.c32 ] && [ -d /etc/bootsplash/themes ]; then
	"$boot/make-gfxboot-iso.sh" SLES gfxboot.iso "$payloads/kernel.bin" 1 packed || exit 1
	file gfxboot.iso "$tmp/gfxboot.iso"
	add hybrid "gfxboot" /gfxboot.iso --do 'wait-text "Kernel started with: " 800s'
else
	skip "gfxboot" "no isolinux, syslinux-common, xorriso, cpio or gfxboot-themes (Debian: apt install them)"
fi

if have grub-mkrescue && have mformat && [ -r /usr/lib/grub/i386-pc/boot.img ]; then
	mkdir -p grub/boot/grub
	cp "$payloads/kernel.bin" "$payloads/hello.bin" grub/boot/
	printf 'set timeout=-1\nmenuentry "Linux entry" {\n linux16 /boot/kernel.bin number=1\n}\nmenuentry "Last entry" {\n chainloader /boot/hello.bin\n}\n' >grub/boot/grub/grub.cfg
	grub-mkrescue -d /usr/lib/grub/i386-pc --fonts= --locales= --themes= -o grub.iso grub \
		--install-modules="biosdisk iso9660 normal linux16 chain test echo configfile" >mkrescue.log 2>&1 || { cat mkrescue.log; exit 1; }
	file grub.iso "$tmp/grub.iso"
	add hybrid "GRUB and a kernel" /grub.iso --do 'wait-text "Last entry" 800s' --do 'keys <enter>' --do 'wait-text "Kernel started with: " 200s'
	add kvm "GRUB and another boot sector" /grub.iso --do 'wait-text "Last entry" 800s' --do 'keys <down><enter>' --do 'wait-text "Hello from drive" 200s'
else
	skip "GRUB" "no grub-mkrescue, mtools or grub-pc-bin (Debian: apt install grub-common mtools grub-pc-bin)"
fi

# After test #0 its MOV to CR0 with PG and PAE ends in #GP here, with KVM alone as well as
# beside the emulator; why is not known.
skip "Memtest86+" "#GP at its PAE paging on KVM in this machine; cause unknown"

if [ -r /usr/lib/ipxe/ipxe.iso ]; then
	file ipxe.iso /usr/lib/ipxe/ipxe.iso
	for engine in hybrid kvm; do
		add $engine "iPXE" /ipxe.iso --do 'wait-text "iPXE initialising devices...ok" 800s' --do 'wait-text "Ctrl-B" 200s'
	done
else
	skip "iPXE" "no /usr/lib/ipxe/ipxe.iso (Debian: apt install ipxe)"
fi

V2E_NESTED_TIMEOUT=${V2E_NESTED_TIMEOUT:-1200} "$nested/machine.sh" amd machine >machine/out 2>&1
ended=$?
[ -z "${V2E_KEEP:-}" ] || cp machine/out "$V2E_KEEP/nested-payloads.out"
if [ $ended -eq 77 ]; then
	skip "payloads in a nested machine" "$(tail -n 1 machine/out)"
	finish
fi

# said NUMBER: what the machine said while it ran this command.
said() { tr '\r' '\n' <machine/out | grep -v ' insn/s' | awk -v wanted="$1" 'BEGIN { n = 1 } n == wanted; /^nested: [0-9]/ { n++ }'; }
ends() { said "$1"; said "$1" | grep -q "^nested: $1 0"; }
by_kvm() { said "$1" | grep -q '^kvm.exits [1-9]'; }
number=0
while read -r name; do
	number=$((number + 1))
	check "$name" ends $number
	check "$name: KVM had its part of it" by_kvm $number
done <machine/names
check "the machine ends by itself" test $ended -eq 0
finish
