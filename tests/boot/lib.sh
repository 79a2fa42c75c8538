# For the boot tests, after tests/lib.sh: builds payloads and looks at what the
# machine shows. Payloads are kept in $V2E_BUILD/payloads; the tests run in $tmp.
payloads=$V2E_BUILD/payloads
boot=$V2E_SRC/tests/boot
pngdiff=$V2E_BUILD/tests/boot/pngdiff
if [ ! -x "$V2E" ] || [ ! -x "$pngdiff" ]; then
	echo "no $V2E or no $pngdiff: build them (make, make test-programs), or set V2E_BUILD"
	exit 1
fi
mkdir -p "$payloads"
cd "$tmp" || exit 1

# need TOOL PACKAGE: ends the script as skipped when TOOL is not there.
need()
{
	have "$1" || [ -e "$1" ] && return
	skip "$(basename "$0")" "no $1 (Debian: apt install $2)"
	finish
}

# The engine that a test is about, by its caller's choice; KVM knows real time only.
engine=${V2E_ENGINE:-emu}
[ "$engine" = emu ] || V2E_CLOCK=real

# patient WORD: how many seconds a command tries, ten times as many if V2E_PATIENCE=1, and
# how long a picture must be stable, five times as long.
patient()
{
	if [ "${V2E_PATIENCE:-0}" != 1 ]; then
		printf '%s\n' "$1"
		return
	fi
	case $1 in
	'wait-stable '[1-9]s' '*)
		printf '%s\n' "$1" | awk '{ print $1, $2 * 5 "s", $3 * 10 "s" }' ;;
	*)
		printf '%s\n' "$1" | sed -E '/^wait-stable/!s/^(wait-.* [0-9]+)s$/\10s/; s/^([0-9]+)s$/\10s/' ;;
	esac
}

# guest ARGUMENTS...: v2e run in guest time, so that a loaded host changes
# nothing; standard output and error go to the files out and err. V2E_OPTIONS are more.
# With V2E_KEEP=DIR the last picture of each is kept there. With V2E_COUNT=FILE how often
# KVM ran is added to it.
kept=0
guest()
{
	kept=$((kept + 1))
	for word; do
		shift
		[ "$word" != quit ] || [ -z "${V2E_KEEP:-}" ] || set -- "$@" "screenshot $V2E_KEEP/$(basename "$0" .sh)-$kept.png" --do
		set -- "$@" "$(patient "$word")"
	done
	# shellcheck disable=SC2086
	"$V2E" run --engine "$engine" --clock "${V2E_CLOCK:-virtual}" ${V2E_COUNT:+--stats} ${V2E_OPTIONS:-} "$@" >out 2>err
	status=$?
	[ -z "${V2E_COUNT:-}" ] || grep -h '^kvm\.runs ' out err >>"$V2E_COUNT"
	grep -hvE '^[a-z][a-z0-9_.-]+ [0-9]+$' out err # the counters would hide the rest
	return $status
}

# ends_with STATUS ARGUMENTS...
ends_with()
{
	wanted=$1
	shift
	guest "$@"
	[ $status -eq "$wanted" ] || { echo "exit status $status, not $wanted"; return 1; }
}

# assemble NAME [OPTION...]: $payloads/NAME.bin from NAME.asm.
assemble()
{
	source=$boot/$1.asm target=$payloads/${2:-$1}.bin
	[ "$target" -nt "$source" ] && return
	nasm -f bin ${3:+"$3"} -o "$target.$$" "$source" && mv "$target.$$" "$target" # others may want it, too
}

# image NAME SIZE: $payloads/NAME.img of SIZE, starting with NAME.bin.
image()
{
	target=$payloads/$1-$2.img
	[ "$target" -nt "$payloads/$1.bin" ] && return
	cp "$payloads/$1.bin" "$target.$$" && truncate -s "$2" "$target.$$" && mv "$target.$$" "$target"
}

# gfxboot_iso NAME THEME KERNEL [TIMEOUT]: $payloads/NAME.iso
gfxboot_iso()
{
	target=$payloads/$1.iso
	[ "$target" -nt "$boot/make-gfxboot-iso.sh" ] && [ "$target" -nt "$3" ] && return
	"$boot/make-gfxboot-iso.sh" "$2" "$target" "$3" ${4:+"$4"}
}

# size_is FILE WIDTH HEIGHT: the screenshot's resolution.
size_is()
{
	facts=$("$pngdiff" info "$1") || return 1
	echo "$1: $facts"
	[ "${facts% *}" = "$2 $3" ]
}

# need_linux NAME: Debian's 32-bit kernel and an initial RAM disk, in the folder $linux.
need_linux()
{
	linux=$payloads/debian-i386
	reason=$("$boot/debian-linux.sh" i386 "$linux" 2>&1)
	case $? in
	0) ;;
	77) skip "$1" "$reason"; finish ;;
	*) echo "$reason"; fail "a kernel and an initial RAM disk are made"; finish ;;
	esac
}

# make_numbers: disk.img and numbers.iso, full of numbers, and the sums that need_linux's
# guest is to find: $before and $after it copied the disk's first 64 KiB over the second,
# which makes it expected.img, and $numbers of the CD's file.
make_numbers()
{
	awk 'BEGIN { srand(7); for (i = 0; i < 400000; i++) print rand() }' >numbers
	head -c 2M numbers >disk.img
	mkdir cd && head -c 3000000 numbers >cd/numbers
	xorriso -as mkisofs -quiet -o numbers.iso -V NUMBERS cd 2>/dev/null || exit 1
	cp disk.img expected.img && dd if=disk.img of=expected.img bs=64k count=1 seek=1 conv=notrunc status=none
	before=$(md5sum <disk.img | cut -c1-32)
	after=$(md5sum <expected.img | cut -c1-32)
	numbers=$(md5sum <cd/numbers | cut -c1-32)
}

# colours FILE MINIMUM MAXIMUM [X Y WIDTH HEIGHT]
colours()
{
	file=$1 minimum=$2 maximum=$3
	shift 3
	facts=$("$pngdiff" info "$file" "$@") || return 1
	echo "$file: $facts"
	facts=${facts##* }
	[ "$facts" -ge "$minimum" ] && [ "$facts" -le "$maximum" ]
}

# differ A B MINIMUM MAXIMUM [X Y WIDTH HEIGHT]: the number of pixels
differ()
{
	first=$1 second=$2 minimum=$3 maximum=$4
	shift 4
	facts=$("$pngdiff" diff "$first" "$second" "$@") || return 1
	echo "$first $second: $facts"
	facts=${facts%% *}
	[ "$facts" -ge "$minimum" ] && [ "$facts" -le "$maximum" ]
}

# differ_within A B LEFT TOP RIGHT BOTTOM: they differ, and only there.
differ_within()
{
	facts=$("$pngdiff" diff "$1" "$2") || return 1
	echo "$1 $2: $facts"
	echo "$facts" | awk -v l="$3" -v t="$4" -v r="$5" -v b="$6" \
		'{ exit !($1 > 0 && $2 >= l && $3 >= t && $4 <= r && $5 <= b) }'
}
