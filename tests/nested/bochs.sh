#!/bin/sh
# bochs.sh MODE WORK VMLINUX MEMORY-MIB COMMAND-LINE: runs WORK/initrd in Bochs; what
# it says on its serial port goes to WORK/serial, messages to WORK/errors.
set -eu
mode=$1 work=$2 kernel=$3 memory=$4 line=$5
here=$(cd "$(dirname "$0")" && pwd)
share=${V2E_BOCHS_SHARE:-/usr/share/bochs}
cpu=corei7_sandy_bridge_2600k
[ "$mode" != intel-noept ] || cpu=core2_penryn_t9600
nasm -f bin -o "$work/boot.bin" "$here/boot.asm"
# shellcheck disable=SC2046
"${CC:-cc}" -O2 -o "$work/mkdisk" "$here/mkdisk.c" $(pkg-config --cflags --libs glib-2.0)
cylinders=$("$work/mkdisk" "$work/boot.bin" "$kernel" "$work/initrd" "$memory" "$line" "$work/disk")
echo c >"$work/debugger"
: >"$work/serial"
cat >"$work/bochsrc" <<END
config_interface: textconfig
display_library: rfb, options="timeout=0"
memory: guest=$memory, host=$memory
romimage: file=$share/BIOS-bochs-latest
vgaromimage: file=$share/VGABIOS-lgpl-latest
cpu: model=$cpu, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: sync=none, time0=local
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path=$work/disk, mode=flat, cylinders=$cylinders, heads=16, spt=63
boot: disk
com1: enabled=1, mode=file, dev=$work/serial
log: $work/log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
pci: enabled=1, chipset=i440fx
sound: driver=dummy, waveout=none
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=0
END
timeout "${V2E_NESTED_TIMEOUT:-900}" bochs-bin -q -f "$work/bochsrc" -rc "$work/debugger" </dev/null >"$work/errors" 2>&1
