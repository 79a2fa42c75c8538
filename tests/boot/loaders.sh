#!/bin/sh
# Kernels without a boot loader of their own: the example kernel, by each protocol.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need /usr/share/seabios/bios.bin seabios
make=$V2E_SRC/tests/guest/make-kernel.sh
if ! "$make" elf >make.out 2>&1; then
	skip loaders.sh "no compiler for 32-bit code: $(tail -n 1 make.out)"
	finish
fi
for version in 1 2; do
	"$make" mb$version -DMULTIBOOT=$version && "$make" mb$version-flat -DMULTIBOOT=$version -DFLAT || exit 1
done
seq 1000 >one
seq 77 >two
cp one sectors && truncate -s 8K sectors

# kernel ARGUMENTS...: what it prints goes into the file serial.
kernel() { ends_with 67 --exit-port 0xf4 --serial file:serial --timeout 60s "$@" && cat serial; }
printed() { grep -q -e "$1" serial; }

check "ELF with start_info" kernel -m 32M elf
check "memory from its start" printed '^memory 00000000 size 00001000 free'
check "the kernel's segment" printed '^memory 00100000 size .* read-only kernel'
check "memory to its end" sh -c "awk '/^memory/ { end = \$2 \" \" \$4 } END { print end }' serial | grep -q '^0010.* 01ef'"
check "the devices" printed '^device port 000001f0 interrupt 14'
check "no virtio device" sh -c '! grep -q -e virtio -e "^device memory" serial'
check "no I/O APIC" printed '^start_info: ioapic 00000000'
check "loaded, and zeros behind it" printed '^all is loaded'
check "interrupts are off" printed '^interrupts are off'
check "virtio devices" kernel -m 32M elf --virtio-rng --virtio-disk sectors --snapshot
for device in 'fef00000 version 2 device 4 interrupt 5' 'fef03000 version 2 device 2 interrupt 7'; do
	check "are where they should be: $device" printed "^virtio $device"
	check "and in the list: ${device%% *}" printed "^device memory ${device%% *} interrupt ${device##* }"
done
check "random numbers" printed '^entropy: 16 bytes, status 15, interrupt 1'
by_kvm()
{
	rm -f serial
	timeout 120 "$V2E" run --engine kvm --exit-port 0xf4 --serial file:serial --timeout 60s -m 32M elf --virtio-rng
	[ $? -eq 67 ]
}
if [ "$engine" != emu ]; then
	: # it is what this is about
elif "$V2E" probe --json 2>/dev/null | grep -q '"kvm": true'; then
	check "by KVM" by_kvm
	check "as well" printed '^entropy: 16 bytes, status 15, interrupt 1'
else
	skip "random numbers by KVM" "no KVM on this host"
fi
check "the interface before 1.0" kernel -m 64M mb1 --virtio-console none --virtio-legacy
check "is where it should be" printed '^virtio fef01000 version 1 device 3 interrupt 7'
check "forced to be ELF" kernel --type elf mb1
check "the magic number of start_info" printed '^start_info'

for kind in mb1 mb1-flat mb2 mb2-flat; do
	check "$kind" kernel -m 64M $kind --append 'hello world' --initrd two --module 'one with words'
	check "$kind: command line" printed "^command line: $kind hello world"
	check "$kind: the first module" printed '^module 222 bytes, aligned 00000000, sum 4115db5b: two'
	check "$kind: the second module" printed '^module 3893 bytes, aligned 00000000, sum 209e3987: one with words'
	check "$kind: memory of the firmware" printed '^map 0000000000000000 length 000000000009fc00 type 1'
	check "$kind: memory above" printed '^map 0000000000100000 length 0000000003e.* type 1'
	check "$kind: sizes" printed '^lower 639 upper 64[0-9][0-9][0-9]'
	check "$kind: loaded, and zeros behind it" printed '^all is loaded'
done
check "all tags are passed" printed '^tags end where they should'
assemble hello && image hello 1M || exit 1
check "the kernel goes before a disk" kernel --snapshot "$payloads/hello-1M.img" --kernel mb1

cat >flat.asm <<'END'
bits 16
	call next
next:	pop si
	add si, text - next
	cld
print:	lodsb
	test al, al
	jz out
	mov ah, 0x0e
	int 0x10
	jmp print
out:	mov ax, cs
	call hex
	sti
halt:	hlt
	jmp halt
hex:	mov cx, 4
.next:	rol ax, 4
	push ax
	and al, 15
	add al, 'A'
	mov ah, 0x0e
	int 0x10
	pop ax
	loop .next
	ret
text:	db "flat in segment ", 0
END
nasm -f bin -o flat.bin flat.asm || exit 1
check "a flat binary in real mode" guest flat.bin --load-at 0x7000 --do 'wait-text "flat in segment AAAA" 60s' --do quit
check "a flat binary in a segment of its own" guest flat.bin --type flat --load-at 0x12340 --do 'wait-text "flat in segment BCDE" 60s' --do quit
printf '\260\041\346\364\364' >flat32.bin
check "a flat binary in protected mode" ends_with 67 flat32.bin --load-at 0x200000 --exit-port 0xf4 --timeout 10s

assemble kernel || exit 1
check "the set-up code of a Linux kernel runs" guest --kernel "$payloads/kernel.bin" --append "number=3" \
	--do 'wait-text "Kernel started with: number=3" 60s' --do quit
check "forced to be Linux" guest "$payloads/kernel.bin" --type linux --do 'wait-text "Kernel started with:" 60s' --do quit
check "a BIOS is known" guest /usr/share/seabios/bios-256k.bin --do 'wait-text "No bootable device" 60s' --do quit

# Each kind where it is told, as where it is detected.
check "forced to be Multiboot" kernel -m 64M --type multiboot mb1
check "and started by version 1" printed '^multiboot: flags'
check "forced to be Multiboot 2" kernel -m 64M --type multiboot2 mb2
check "and started by version 2" printed '^multiboot2$'
hello_on() # DRIVE ARGUMENTS...
{
	drive=$1
	shift
	guest --snapshot "$@" --do "wait-text \"Hello from drive ${drive}h\" 60s" --do quit
}
image hello 1440K || exit 1
check "a boot sector" hello_on 00 "$payloads/hello.bin"
check "forced to be a boot sector" hello_on 00 --type boot-sector "$payloads/hello.bin"
check "forced to be a floppy" hello_on 00 --type floppy "$payloads/hello-1440K.img"
check "forced to be a disk" hello_on 80 --type disk "$payloads/hello-1440K.img"
if have xorriso; then
	mkdir -p cd && cp "$payloads/hello.bin" cd/ &&
		xorriso -as mkisofs -quiet -o hello.iso -b hello.bin -no-emul-boot -boot-load-size 4 cd 2>xorriso.out || exit 1
	check "a CD" hello_on E0 hello.iso
	check "forced to be a CD" hello_on E0 --type cdrom hello.iso
	check "an ISO image forced to be a disk has no boot sector" guest --type disk --snapshot hello.iso --do 'wait-text "not a bootable disk" 60s' --do quit
else
	skip "a CD, forced to be one" "no xorriso (Debian: apt install xorriso)"
fi
check "forced to be a BIOS" guest --type bios /usr/share/seabios/bios.bin --do 'wait-text "No bootable device" 60s' --do quit

[ "$engine" = emu ] || finish

# A reset starts the kernel once more.
printf '\146\272\371\014\260\006\356\364' >reset.bin
check "a kernel that resets the machine starts again" sh -c "'$V2E' run --engine emu --clock virtual reset.bin --load-at 0x200000 --timeout 10ms --stats 2>&1 | grep -Eq '^resets [1-9][0-9]'"

# 64-bit mode where nothing runs it: one line, when the guest turns it on.
cat >long.asm <<'END'
bits 32
org 0x200000
	mov eax, cr4
	or al, 0x20
	mov cr4, eax
	mov dword [0x300000], 0x301003
	mov dword [0x301000], 0x83
	mov eax, 0x300000
	mov cr3, eax
	mov ecx, 0xc0000080
	mov eax, 0x100
	xor edx, edx
	wrmsr
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	hlt
END
nasm -f bin -o long.bin long.asm || exit 1
check "64-bit mode where nothing runs it" ends_with 2 --cpu x86-64 long.bin --load-at 0x200000 --timeout 1s
check "it is one line" sh -c '[ "$(wc -l <err)" -eq 1 ] && grep -q "64-bit mode, which nothing here can run" err'

# The same on what this host has of KVM.
for engine in kvm hybrid; do
	if "$V2E" run --engine $engine --do quit >out 2>err; then
		check "ELF with start_info, --engine $engine" sh -c "'$V2E' run --engine $engine elf --exit-port 0xf4 --serial file:serial --timeout 120s; [ \$? -eq 67 ]"
		check "all of it, --engine $engine" printed '^all is loaded'
	else
		skip "--engine $engine" "$(head -n 1 err)"
	fi
done
finish
