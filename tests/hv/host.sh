#!/bin/sh
# The KVM engine on this host's KVM, whatever that can do; and what v2e says where it
# cannot be had.
. "${V2E_SRC:-.}/tests/lib.sh"
firmware=/usr/share/seabios

refuses() # 'TEXT' ARGS...
{
	text=$1
	shift
	"$V2E" run "$@" >"$tmp/refusal" 2>&1
	[ $? -eq 2 ] && grep -qF -e "$text" "$tmp/refusal"
}

probe_answers()
{
	"$V2E" probe --json >"$tmp/probe"
	[ $? -le 1 ] && grep -q '"kvm": \(true\|false\)' "$tmp/probe" && grep -q '"why": "' "$tmp/probe"
}

usable() # WATCH
{
	grep -q "\"$1\": { \"usable\": true" "$tmp/probe"
}

# stops WATCH: as exact as v2e probe says.
stops()
{
	exact=0
	grep -q "\"$1\": { \"usable\": true, \"exact\": true" "$tmp/probe" && exact=1
	"$tmp/stops" "$1" 100 $exact
}

link_program() # SOURCE: in $tmp, by its name
{
	# shellcheck disable=SC2046
	"${CC:-cc}" -O2 -std=gnu11 -pthread -I"$V2E_SRC" $(pkg-config --cflags glib-2.0) -o "$tmp/$(basename "$1" .c)" \
		"$V2E_SRC/tests/$1" "$V2E_BUILD/libv2e.a" $(pkg-config --libs glib-2.0 capstone libpng)
}

boot()
{
	"$V2E" run --stats --timeout 120s "$@" --do 'wait-text "No bootable device" 100s' --do quit >"$tmp/out" 2>&1
}

boots_floppy()
{
	"$V2E" run --timeout 120s --floppy "$tmp/hello" --snapshot "$@" --do 'wait-text "Hello from drive 00h" 100s' --do quit
}

# fails NUMBER COUNT ERRNO ARGS...: as boot, but so many ioctls are good, no more.
fails()
{
	FAIL_IOCTL=$1,$2,$3
	export FAIL_IOCTL
	shift 3
	LD_PRELOAD=$tmp/fail_ioctl.so "$V2E" run --stats --timeout 120s "$@" --do 'wait-text "No bootable device" 100s' --do quit >"$tmp/out" 2>&1
}

# guest PROGRAM ENGINE FAIL_IOCTL: the guest pe, which is right however its engine's calls fail.
guest()
{
	FAIL_ENGINE=${probe_too:-1} FAIL_IOCTL=$3 LD_PRELOAD=$tmp/fail_ioctl.so "$1" run --bios "$tmp/pe" --exit-port 0xf4 --engine "$2" \
		--threshold 0 --timeout 60s --stats >"$tmp/out" 2>&1
	status=$?
	grep -v '^[a-z.-]* [0-9]*$' "$tmp/out"
	[ $status -eq 85 ]
}

# says_once 'TEXT': of all errors
says_once()
{
	[ "$(grep -c '^v2e: error:' "$tmp/out")" = 1 ] && grep -qF "$1" "$tmp/out"
}

# survives ERRNO, ends ERRNO 'TEXT': KVM_RUN fails three times, or for good.
survives() { guest "$V2E" hybrid "ae80,2,$1,3" && ! grep -q '^v2e: error:' "$tmp/out" && says '^handover-from-kvm-mode [1-9]'; }
ends() { guest "$V2E" hybrid "ae80,2,$1" && says_once "KVM_RUN: $2; KVM is not used any more"; }

# alone FAIL_IOCTL 'TEXT': --engine auto, on a KVM that it takes for a native one, is left
# with the emulator.
alone() { guest "$V2E_BUILD/tests/hv/native" auto "$1" && says_once "$2" && says '; KVM is not used$' && says "^engine emu: $2"; }
goes_on() { guest "$V2E_BUILD/tests/hv/native" auto ae80,2,5 && says_once 'KVM_RUN: ' && says '^engine hybrid: ' && says '^handover-from-kvm-mode [1-9]'; }
misses_interrupts()
{
	probe_too=0 guest "$V2E" hybrid 40042408,0,1 && says '^v2e: --engine hybrid: KVM of this host interprets, and may miss interrupts: BPF is not permitted'
}

# The calls of the machine's own vCPU.
failing()
{
	check "signals come in the middle" survives 4
	check "KVM_RUN wants to be called again" survives 11
	check "and again, for good" ends 11 'Resource temporarily unavailable'
	check "KVM_RUN: no memory" ends 12 'Cannot allocate memory'
	check "KVM_RUN: memory that is not there" ends 14 'Bad address'
	check "a signal while MSRs are moved" guest "$V2E" hybrid 4008ae89,0,4,1
	check "is nothing to speak of" sh -c '! grep "^v2e: error:" "$1"' sh "$tmp/out"
	if [ -x "$V2E_BUILD/tests/hv/native" ]; then
		check "auto, and KVM fails behind the probe: CPUID" alone 4008ae90,0,5 KVM_SET_CPUID2
		check "auto, and KVM fails behind the probe: registers" alone 8138ae83,0,12 KVM_GET_SREGS
		check "auto, and KVM fails in mid-run" goes_on
	else
		skip "auto, and KVM fails behind the probe" "tests/hv/native is not built"
	fi
	if grep -q '"windows": \(true\|false\)' "$tmp/probe"; then
		check "hybrid says that it may miss interrupts" misses_interrupts
	fi
}

# log_is_whole FORMAT: as many as --stats counts, each with all fields.
log_is_whole()
{
	total=$(sed -n 's/^transitions //p' "$tmp/out")
	echo "transitions: $total"
	[ "$total" -gt 0 ] || return
	if [ "$1" = csv ]; then
		awk -F, -v total="$total" 'NR == 1 { fields = NF } NF != fields || (NR > 1 && $1 != NR - 1) { exit 1 }
			END { if (NR != total + 1 || fields != 20) exit 1 }' "$tmp/log.csv"
		return
	fi
	! have jq || jq -e --argjson total "$total" '.total == $total and (.transitions | length == $total and all(.[];
		(.sequence, .cs, .ip, .linear, .cr0, .rflags, .blocks, .insns, .guest_ns, .ns.exit, .ns.save, .ns.channel, .ns.emulate, .ns.load |
		type == "number") and (.cause, .stop, .from, .to, .mode | type == "string") and .from != .to))' "$tmp/log.json" >"$tmp/jq.out"
}

# logs END FORMAT: pe ends by itself; SeaBIOS, which goes on for ever, by --timeout or SIGINT.
logs()
{
	end=$1 format=$2
	rm -f "$tmp/log.$format" "$tmp/says"
	set -- run --engine hybrid --threshold 0 --stats --transitions "$tmp/log.$format"
	case $end in
	exit) wanted=85; "$V2E" "$@" --bios "$tmp/pe" --exit-port 0xf4 >"$tmp/out" 2>&1 ;;
	timeout) wanted=1; "$V2E" "$@" --timeout 3s >"$tmp/out" 2>&1 ;;
	signal)
		wanted=0
		"$V2E" "$@" --debugcon 0x402:"$tmp/says" >"$tmp/out" 2>&1 &
		pid=$!
		# What the firmware says comes when SIGINT is caught, and KVM had the guest.
		comes grep -q SeaBIOS "$tmp/says" && kill -INT $pid
		wait $pid ;;
	esac
	status=$?
	[ $status -eq $wanted ] || { echo "exit status $status, not $wanted"; return 1; }
	log_is_whole "$format"
}

ends_alone()
{
	FAIL_IOCTL=ae80,1000,5 LD_PRELOAD=$tmp/fail_ioctl.so "$V2E" run --engine kvm --timeout 120s >"$tmp/out" 2>&1
	[ $? -eq 2 ] && grep -q 'KVM_RUN: ' "$tmp/out"
}

# no_kvm VARIABLE=VALUE 'TEXT': where KVM is so, hybrid says TEXT and ends with 2, and auto
# takes the emulator.
no_kvm()
{
	env "$1" LD_PRELOAD="$tmp/fail_ioctl.so" "$V2E" run --engine hybrid >"$tmp/refusal" 2>&1
	[ $? -eq 2 ] && grep -qF -e "$2" "$tmp/refusal" || return 1
	env "$1" LD_PRELOAD="$tmp/fail_ioctl.so" "$V2E" probe >"$tmp/refusal"
	[ $? -eq 1 ] && grep -q '^--engine auto *emu: ' "$tmp/refusal" && grep -qF -e "$2" "$tmp/refusal"
}

says() # PATTERN
{
	grep -q "$1" "$tmp/out"
}

# put_off CALL,ERRNO: probe, with each other one of these calls put off by a signal.
put_off()
{
	env -u FAIL_IOCTL PUT_OFF="$1" LD_PRELOAD="$tmp/fail_ioctl.so" "$V2E" probe --json >"$tmp/put-off"
	for line in '"trace": { "usable": true' '"windows": true' '"witnesses": true'; do
		! grep -q "$line" "$tmp/probe" || grep "$line" "$tmp/put-off" || return 1
	done
}

# long STATUS ARGS...: a guest that goes to 64-bit mode, without asking CPUID.
long()
{
	status=$1
	shift
	"$V2E" run --floppy "$tmp/long" --snapshot --timeout 60s --exit-port 0xf4 "$@" >"$tmp/out" 2>&1
	[ $? -eq "$status" ]
}

asks_first()
{
	"$V2E" run --floppy "$tmp/asks" --snapshot --timeout 60s --exit-port 0xf4 --engine emu --cpu x86-64
	[ $? -eq 3 ]
}

check "v2e probe --json" probe_answers
check "v2e probe" sh -c '"$1" probe | grep -q "^--engine auto"' probe "$V2E"
check "KVM and virtual time" refuses '--clock virtual counts instructions' --engine hybrid --clock virtual
check "KVM and a 486" refuses 'KVM cannot be a 386 or 486' --engine kvm --cpu 486
check "an unknown watch" refuses 'trace, breakpoint or lazy' --watch never
check "a threshold that is no number" refuses '--threshold' --threshold few
if have nasm && [ -r $firmware/bios.bin ]; then
	nasm -f bin -o "$tmp/hello" "$V2E_SRC/tests/boot/hello.asm" && truncate -s 1440K "$tmp/hello"
	nasm -f bin -w-all -I "$V2E_SRC/tests/guest/" -o "$tmp/pe" "$V2E_SRC/tests/guest/pe.asm"
	for name in long asks; do
		nasm -f bin $([ $name = asks ] || echo -DBLIND) -o "$tmp/$name" "$V2E_SRC/tests/nested/long.asm"
		truncate -s 1440K "$tmp/$name"
	done
	check "64-bit mode, which nothing runs, ends the run" long 2 --engine emu --cpu x86-64
	check "and a line says so" grep -q 'has switched to 64-bit mode, which nothing here can run' "$tmp/out"
	check "CPUID does not show it" asks_first
else
	skip "64-bit mode" "no nasm or no SeaBIOS (Debian: apt install nasm seabios)"
fi
if ! grep -q '"kvm": true' "$tmp/probe"; then
	check "hybrid without KVM says why" refuses '/dev/kvm' --engine hybrid
	skip "the KVM engine" "$(sed -n 's/.*"error": "\(.*\)",$/\1/p' "$tmp/probe")"
	finish
fi
if [ -f "$V2E_BUILD/libv2e.a" ] && link_program nested/stops.c 2>"$tmp/link.out" && link_program hv/handover.c 2>"$tmp/link.out" &&
   link_program nested/debugger.c 2>"$tmp/link.out"; then
	check "what a debugger asks of KVM alone" "$tmp/debugger"
	check "what a hand-over costs, and what stays in the vCPU" "$tmp/handover" 1000
	for watch in trace breakpoint lazy; do
		if usable $watch; then
			check "stops where protected mode ends: $watch" stops $watch
		else
			skip "stops where protected mode ends: $watch" "not usable here, see v2e probe"
		fi
	done
else
	skip "stops where protected mode ends, and what a hand-over costs" "the test programs cannot be linked here"
fi
if [ -r $firmware/bios.bin ]; then
	# cautions ENGINE: does it say what this KVM is bad at?
	cautions() { "$V2E" run --engine "$1" --do quit 2>&1 | grep -q '^v2e: --engine kvm: KVM of this host does not run .*; give --engine emu or hybrid$'; }
	if grep -q '"pm16": { "runs": "native"' "$tmp/probe" && grep -q '"pm32-paged": { "runs": "native"' "$tmp/probe"; then
		check "KVM alone on a KVM that can do it" sh -c '! "$1" run --engine kvm --do quit 2>&1 | grep -q "^v2e: --engine kvm"' sh "$V2E"
	else
		check "KVM alone says what this KVM is bad at" cautions kvm
		check "which is no matter with another engine" sh -c '! "$1" run --engine hybrid --do quit 2>&1 | grep -q "^v2e: --engine kvm"' sh "$V2E"
	fi
	check "SeaBIOS, hybrid" boot --engine hybrid
	check "KVM had its part of it" says '^handover-from-kvm-mode [1-9]'
	check "SeaBIOS, hybrid, threshold 0" boot --engine hybrid --threshold 0
	check "a threshold that is never reached" boot --engine hybrid --threshold inf
	check "leaves the guest to the emulator" says '^handovers 0$'
	if [ -f "$tmp/hello" ]; then
		check "SeaBIOS and the floppy's interrupts, KVM alone" boots_floppy --engine kvm
	else
		skip "SeaBIOS and the floppy's interrupts, KVM alone" "no nasm (Debian: apt install nasm)"
	fi
	if [ -f "$tmp/pe" ]; then
		for end in exit timeout signal; do
			for format in json csv; do
				check "the log of transitions, $format: $end" logs $end $format
			done
		done
	else
		skip "the log of transitions" "no nasm (Debian: apt install nasm)"
	fi
	check "SeaBIOS, as auto chooses" boot
	check "which is said" says '^engine \(emu\|hybrid\): '
	if "${CC:-cc}" -O2 -shared -fPIC -o "$tmp/fail_ioctl.so" "$V2E_SRC/tests/hv/fail_ioctl.c" -ldl 2>"$tmp/link.out" &&
	   ! ldd "$V2E" | grep -q libasan; then
		# The probe takes some hundreds of KVM_RUN (ae80) and one KVM_CREATE_VM (ae01) for each guest.
		check "KVM_RUN fails in the middle: the emulator goes on" fails ae80 1000 5 --engine hybrid
		check "and it is said" says 'KVM_RUN: .*; KVM is not used any more'
		check "after KVM had its part" says '^handover-from-kvm-mode [1-9]'
		check "memory that KVM does not take" fails 4020ae46 5 12 --engine hybrid
		check "is said as well" says 'KVM_SET_USER_MEMORY_REGION: .*; KVM is not used any more'
		check "a hand-over that cannot load the FPU" fails 5000aea5 0 5 --engine hybrid
		check "is said, and the emulator goes on" says 'loading the processor: .*; KVM is not used any more'
		check "one that cannot save it" fails 9000aea4 1 5 --engine hybrid
		check "is said, too" says 'KVM_GET_XSAVE: .*; KVM is not used any more'
		check "KVM alone, and KVM_RUN fails: the run ends" ends_alone
		check "no /dev/kvm" no_kvm FAIL_OPEN=2 'load the module kvm_intel or kvm_amd'
		check "a /dev/kvm that is not for us" no_kvm FAIL_OPEN=13 'join the group kvm'
		check "another version of KVM" no_kvm FAIL_IOCTL=ae00,0,0 'speaks version 0 of its interface, not 12'
		check "a KVM that is too old" no_kvm FAIL_IOCTL=ae03,0,0 'lacks KVM_CAP_USER_MEMORY; take a newer kernel'
		for cap in 3:USER_MEMORY 4:SET_TSS_ADDR 7:EXT_CPUID 41:VCPU_EVENTS 50:DEBUGREGS 55:XSAVE 81:READONLY_MEM 136:IMMEDIATE_EXIT 74:SYNC_REGS; do
			check "a KVM without ${cap#*:}" no_kvm "FAIL_IOCTL=ae03,0,0,1000,${cap%:*}" "lacks KVM_CAP_${cap#*:}"
		done
		check "KVM in use" no_kvm FAIL_IOCTL=ae01,0,16 'stop the other hypervisor'
		check "no vCPU" no_kvm FAIL_IOCTL=ae41,0,12 'KVM_CREATE_VCPU'
		check "KVM_CREATE_VM fails: auto does without" fails ae01 0 16 --engine auto
		check "and says why" says '^engine emu: /dev/kvm: KVM_CREATE_VM'
		check "signals while BPF programs are loaded" put_off 321,11
		check "signals while tracepoints are opened" put_off 298,4
		if [ -f "$tmp/pe" ]; then
			failing
		else
			skip "failing calls of the engine" "no nasm (Debian: apt install nasm)"
		fi
	else
		skip "failing ioctls" "nothing can be preloaded here"
	fi
else
	skip "SeaBIOS" "no $firmware/bios.bin (Debian: apt install seabios)"
fi
finish
