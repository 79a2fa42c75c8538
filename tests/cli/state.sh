#!/bin/sh
# save and --restore: what a machine keeps, and what is refused.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp"

if ! timeout 60 "$V2E" run --clock virtual --do quit >err 2>&1 </dev/null; then
	skip "everything" "$(head -n 1 err)"
	finish
fi
if ! have nasm; then
	skip "everything" "no nasm (Debian: apt install nasm)"
	finish
fi
nasm -f bin -o count.bin "$V2E_SRC/tests/boot/count.asm" || exit 1

new_disk() { cp count.bin disk.img && truncate -s 1M disk.img; }

# Of a file that has just changed a state does not note when that was.
let_it_age()
{
	while [ $(($(date +%s) - $(stat -c %Z "${1:-disk.img}"))) -lt 3 ]; do
		sleep 0.2
	done
}

# guest STATUS ARGUMENTS...: output in out; each --do may say @FILE for what there is.
guest()
{
	wanted=$1
	shift
	timeout 120 "$V2E" run --clock virtual --engine emu "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq "$wanted" ] || { echo "exit status $status, not $wanted"; return 1; }
}

# says STATUS 'TEXT' ARGUMENTS...: ends so, with one line that has TEXT in it.
says()
{
	wanted=$1 text=$2
	shift 2
	guest "$wanted" "$@" || return 1
	grep -qF -e "$text" out && [ "$(wc -l <out)" -eq 1 ]
}

refused() { says 2 "$@"; }

# counts N ARGUMENTS...: restores, presses a key, and N is what the disk says.
counts()
{
	number=$1
	shift
	guest 0 "$@" --do 'keys a' --do "wait-text \"count $number\" 10s" --do quit
}

# --- a disk with an overlay -----------------------------------------------------------
new_disk
let_it_age
check "a machine is saved in the middle of a run" \
	guest 0 --snapshot disk.img --do 'wait-text ready' --do 'keys a' --do 'wait-text "count 1"' \
		--do 'save one.state' --do 'keys a' --do 'wait-text "count 2"' --do quit
check "and goes on from there, with what the guest had written" counts 2 --restore one.state
check "as often as one likes" counts 2 --restore one.state
check "with the image given again" counts 2 --restore one.state --snapshot disk.img
check "from another folder" sh -c "mkdir -p other && cd other && timeout 120 $V2E run --clock virtual --restore ../one.state --do quit"
check "the file itself was left alone" test "$(od -An -tu1 -j512 -N1 disk.img | tr -d ' ')" = 0
check "only its owner may read what was in memory" test "$(stat -c %a one.state)" = 600
check "its overlay wants to stay one" refused "disk.img was saved with --snapshot; give --snapshot again" --restore one.state disk.img
check "the machine is saved as it was" guest 0 --restore one.state --do 'save same.state' --do quit
check "to the last bit" cmp one.state same.state

# --- time and instructions ---------------------------------------------------------------
straight() { guest 0 --snapshot disk.img --do 'wait-text ready' --do 'sleep 1s' --do 'keys a' --do 'sleep 333ms' --do 'save straight.state' --do quit; }
begin() { guest 0 --snapshot disk.img --do 'wait-text ready' --do 'save a.state' --do quit; }
go_on() { guest 0 --restore a.state --do 'sleep 1s' --do 'save b.state' --do quit && guest 0 --restore b.state --do 'keys a' --do 'sleep 333ms' --do 'save c.state' --do quit; }
check "a run without a break" straight
check "and one that was saved" begin
check "and restored twice" go_on
check "end with the same machine, to the last bit" cmp straight.state c.state

# --- another engine ---------------------------------------------------------------------------
if "$V2E" probe --json 2>/dev/null | grep -q '"kvm": true'; then
	check "KVM goes on where the emulator was" \
		sh -c "timeout 120 $V2E run --engine hybrid --restore one.state --do 'keys a' --do 'wait-text \"count 2\"' --do 'save kvm.state' --do quit"
	check "and the emulator where KVM was" counts 3 --restore kvm.state
else
	skip "other engines" "no KVM on this host"
fi

# --- a disk that the guest writes to -----------------------------------------------------------
new_disk
check "a disk without an overlay" guest 0 disk.img --do 'wait-text ready' --do 'keys a' --do 'wait-text "count 1"' --do 'save rw.state' --do quit
check "is not written to because a state says so" refused "the guest would write to it; name it again" --restore rw.state
check "is when it is named" counts 2 --restore rw.state disk.img
check "and then it is not the disk of that state" refused "disk.img has changed since the state was saved" --restore rw.state disk.img
new_disk
check "another disk of that size neither" refused "disk.img has changed since the state was saved" --restore rw.state disk.img
printf '\001' | dd of=disk.img bs=1 seek=512 conv=notrunc 2>/dev/null
check "one with the same contents is" counts 2 --restore rw.state --snapshot
check "one without a file is missed" refused "gone.img: no such file" --restore rw.state gone.img
truncate -s 2M disk.img
check "one of another size is told" refused "disk.img has 4096 sectors of 512 bytes, the one that was saved had 2048" --restore rw.state disk.img

# --- options -------------------------------------------------------------------------------------
new_disk
printf '\364' >halt.bin
for option in "memory 32M" "cpu 486" "boot disk" "bios x" "kernel halt.bin" "option-rom halt.bin"; do
	name=${option% *}
	check "--$name is the saved machine's" refused "--$name: the saved machine of --restore has its own" --restore one.state "--$name" "${option#* }"
done
check "and a kernel without an option" refused "halt.bin: is a kernel, and the saved machine of --restore has its own" --restore one.state halt.bin --load-at 0x100000
check "ports too" refused "--serial: the saved machine has 1 serial port(s)" --restore one.state --serial none --serial none
check "and the exit port" refused "--exit-port: the saved machine's port is 0x0, not 0xf4" --restore one.state --exit-port 0xf4
check "the way to the network" refused "--net-model: the saved machine of --restore has its own" --restore one.state --net user --net-model virtio
check "the devices of virtio" refused "--virtio-rng: the saved machine of --restore has its own" --restore one.state --virtio-rng
check "a console that it has not" refused "--virtio-console: the saved machine has none" --restore one.state --virtio-console none
check "disks that it has not" refused "--virtio-disk: the saved machine has 0" --restore one.state --virtio-disk disk.img
check "time is counted from here" guest 1 --restore one.state --timeout 100ms --do 'sleep 1s'

# --- virtio ------------------------------------------------------------------------------------------
head -c 64K /dev/zero >v.img
cp v.img w.img
let_it_age w.img
check "a machine with virtio devices" guest 0 --snapshot disk.img --virtio-rng --virtio-console file:console --virtio-disk v.img --virtio-disk w.img \
	--virtio-legacy --do 'wait-text ready' --do 'save v.state' --do quit
check "has them again" guest 0 --restore v.state --virtio-console file:console --do 'save v2.state' --do quit
check "to the last bit" cmp v.state v2.state
check "also without the host's end" guest 0 --restore v.state --do 'save v3.state' --do quit
check "and with the images given again" guest 0 --restore v.state --snapshot disk.img --virtio-disk v.img --virtio-disk w.img --do quit
check "all of them" refused "--virtio-disk: the saved machine has 2; name as many" --restore v.state --snapshot disk.img --virtio-disk v.img
head -c 512 v.img >>w.img
check "as they were" refused "w.img has 129 sectors of 512 bytes, the one that was saved had 128" --restore v.state

# --- a kernel without firmware ---------------------------------------------------------------------------
nasm -f bin -o again.bin "$V2E_SRC/tests/boot/again.asm" || exit 1
kernel() { guest 7 --exit-port 0xf4 --serial file:serial "$@" --timeout 5s; }
first_time() { kernel --kernel again.bin --load-at 0x100000 --do 'sleep 10ms' --do 'save kernel.state' --do 'sleep 1s'; }
check "a kernel is saved before it resets the machine" first_time
check "and starts again" test "$(cat serial)" = SR
check "goes on" kernel --restore kernel.state
check "and starts again, too" test "$(cat serial)" = R

# --- files that are none -----------------------------------------------------------------------------
check "a missing file" refused "gone.state: No such file" --restore gone.state
check "a folder" refused "is no regular file" --restore "$tmp"
check "a device" refused "is no regular file" --restore /dev/null
: >bad.state
check "an empty file" refused "is no saved state" --restore bad.state
echo hello >bad.state
check "another file" refused "bad.state: is no saved state" --restore bad.state
head -c 16 one.state >bad.state
check "nothing but a header" refused "is cut off" --restore bad.state
head -c -1 one.state >bad.state
check "a byte less" refused "is cut off or damaged" --restore bad.state
{ cat one.state; echo; } >bad.state
check "a byte more" refused "is cut off or damaged" --restore bad.state
cp one.state bad.state
printf '\377' | dd of=bad.state bs=1 seek=8 conv=notrunc 2>/dev/null
check "a format of later times" refused "is of format 255, this v2e reads 1" --restore bad.state

# --- saving that fails --------------------------------------------------------------------------------
keeps() # COMMAND...: old.state is as it was, with nothing beside it
{
	cp one.state old.state
	rm -f old.state.*
	"$@" || return 1
	cmp one.state old.state || return 1
	ls old.state.* 2>/dev/null && [ "${leaves:-0}" = 0 ] && return 1
	counts 2 --restore old.state
}
check "a device is no place" guest 1 --snapshot disk.img --do 'save /dev/full'
check "a link stays one" sh -c 'ln -s real.state link.state && touch real.state'
check "and the file behind it is written" guest 0 --snapshot disk.img --do 'save link.state' --do quit
check "there" test -h link.state -a -s real.state
mkdir -p away && ln -s away/none.state new.state && ln -s last.state away/none.state
check "also where nothing is behind it yet" guest 0 --snapshot disk.img --do 'save new.state' --do quit
check "there, too" test -h new.state -a -h away/none.state -a -s away/last.state
preloads() { "${CC:-cc}" -shared -fPIC -o fail_save.so "$V2E_SRC/tests/cli/fail_save.c" -ldl && LD_PRELOAD=$tmp/fail_save.so "$V2E" --version; }
if preloads >err 2>&1; then
	ends() # HOW STATUS
	{
		FAIL_SAVE=$1 LD_PRELOAD=$tmp/fail_save.so timeout 120 "$V2E" run --clock virtual --engine emu \
			--snapshot disk.img --do 'save old.state' --do quit >out 2>&1
		[ $? -eq "$2" ] || return 1
		[ "$2" -ne 1 ] || grep -q 'old.state: No space left on device; nothing was saved' out
	}
	for call in write fsync rename; do
		check "a $call that fails says so and leaves the old file" keeps ends "fail:$call" 1
		leaves=1 check "a process that dies at its $call leaves it as well" keeps ends "kill:$call" 137
	done
	on_monitor()
	{
		printf 'wait-text ready\nsave old.state\nkeys a\nwait-text "count 1"\nquit\n' |
			FAIL_SAVE=fail:fsync LD_PRELOAD=$tmp/fail_save.so timeout 120 "$V2E" run --clock virtual --engine emu \
				--snapshot disk.img --monitor stdio >out 2>&1
		cat out
		grep -q '^error: .*nothing was saved' out && [ "$(grep -c ^ok out)" -eq 4 ]
	}
	check "the guest goes on" on_monitor
else
	skip "failing system calls" "$(head -n 1 err)"
fi
finish
