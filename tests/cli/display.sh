#!/bin/sh
# --display: VNC with a client that has nothing in common with the server, a window on
# an X server without a screen, the terminal in tmux.
. "${V2E_SRC:-.}/tests/lib.sh"
pngdiff=$V2E_BUILD/tests/boot/pngdiff
cd "$tmp"

refuses() # 'TEXT' ARGS...
{
	text=$1
	shift
	timeout 60 "$V2E" run "$@" >out 2>&1 </dev/null
	[ $? -eq 2 ] && grep -qF -e "$text" out && [ "$(wc -l <out)" -eq 1 ]
}

# guest ARGUMENTS...: in the background; its output goes to out, its number is $guest.
guest()
{
	rm -f ready.png out
	timeout 120 "$V2E" run --engine emu --snapshot disk.img "$@" >out 2>&1 </dev/null &
	guest=$!
}

ended() # STATUS
{
	wait "$guest"
	status=$?
	cat out
	[ $status -eq "$1" ]
}

# like A B: equal but for a cursor that may be in another phase.
like()
{
	facts=$("$pngdiff" diff "$1" "$2") || return 1
	echo "$1 $2: $facts"
	[ "${facts%% *}" -le 18 ]
}

check "a display that is none" refuses "unknown display 'x11'" --display x11
check "the terminal is taken once" refuses "--display term and --serial both want the terminal" --display term --serial stdio
check "and needs to be one" refuses "no terminal" --display term
check "nothing is shown of a comparison" refuses "--compare shows nothing" --display vnc=5900 --compare emu,emu
if ! have nasm; then
	skip "pictures and keys" "no nasm (Debian: apt install nasm)"
	finish
fi
nasm -f bin -o disk.img "$V2E_SRC/tests/boot/count.asm" && truncate -s 1M disk.img || exit 1

# --- VNC --------------------------------------------------------------------------------
# A port that nobody has: one of many, by the number of this process.
port=$((20000 + $$ % 20000))
printf 'secret\n' >password
printf 'much too long\n' >long

vnc_refuses()
{
	check "no port" refuses "is no [HOST:]PORT" --display vnc=here
	check "other hosts want a password" refuses "give a password" --display vnc=0.0.0.0:$port
	check "a password that VNC cannot have" refuses "VNC takes 1 to 8" --display "vnc=$port,password=long"
	check "a password that is not there" refuses "password: " --display "vnc=$port,password=gone"
	check "another setting" refuses "is no setting of vnc" --display "vnc=$port,colour=red"
}

cat >client.pl <<'END'
use Net::VNC;
my ($port, $password, $file, @keys) = @ARGV;
my $vnc = Net::VNC->new({ hostname => '127.0.0.1', port => $port, password => $password });
$vnc->depth(24);
$vnc->login;
$vnc->capture->save($file) if $file;
for (@keys) { # one with a + stays down
	my ($stays, $key) = /^(\+?)(.+)/;
	$key = $key =~ /^0x/ ? hex $key : ord $key;
	$stays ? $vnc->send_key_event_down($key) : $vnc->send_key_event($key);
}
print $vnc->width, "x", $vnc->height, "\n";
END

# Somebody sends half of a message and waits; the guest goes on all the same. Twice two
# commands: by the second one all that came before the first has been looked at.
cat >half.pl <<'END'
use IO::Socket::INET;
use IPC::Open2;
my ($port, $half, @command) = @ARGV;
open2(my $answers, my $commands, @command);
sub ask { print $commands "$_[0]\n"; <$answers> =~ /^ok/ or die "no answer to $_[0]" }
ask("wait-text ready 60s");
my $viewer = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die "no connection: $!";
sysread($viewer, my $version, 12) == 12 or die "no version";
syswrite($viewer, $half);
ask("sleep 1ms") for 1 .. 4;
my $bits = '';
vec($bits, fileno $viewer, 1) = 1;
die "only when it was thrown out" if select($bits, undef, undef, 0);
ask("quit");
wait;
exit $? >> 8;
END
half() { perl half.pl "$port" R timeout 120 "$V2E" run --engine emu --snapshot disk.img --display "vnc=$port" --monitor stdio; }

vnc_session()
{
	guest --display "vnc=$port,password=password" --do 'wait-text ready' --do 'sleep 100ms' --do 'screenshot ready.png' \
		--do 'wait-text "count 2" 60s' --do quit
	check "VNC: the guest is ready" comes test -s ready.png
	check "VNC: a second one finds the port taken" refuses "nobody can listen there" --display "vnc=$port"
	check "VNC: a wrong password is of no use" sh -c "! perl client.pl $port wrong bad.png"
	check "VNC: the client sees the screen" perl client.pl "$port" secret vnc.png
	check "VNC: it is the screenshot" like ready.png vnc.png
	check "VNC: a viewer leaves with Ctrl and Alt held" perl client.pl "$port" secret '' +0xffe3 +0xffe9
	check "VNC: keys arrive, Delete without them" perl client.pl "$port" secret '' a 0xffff
	check "VNC: and do what they do" ended 0
	check "VNC: nobody makes the guest wait" half
}

if refuses "built without libvncserver" --display vnc=$port; then
	skip "VNC" "v2e was built without libvncserver"
else
	vnc_refuses
	if perl -MNet::VNC -e 1 2>/dev/null; then
		vnc_session
	else
		skip "a VNC client" "no Net::VNC (Debian: apt install libnet-vnc-perl)"
	fi
fi

# --- the terminal ---------------------------------------------------------------------------
term() { tmux -L "v2e-$$" "$@"; }
guest_of_pane() { pgrep -P "$(pgrep -P "$(term display-message -p -t v2e '#{pane_pid}')" timeout)" v2e; }
pane_has() { stty -a -F "$(term display-message -p -t v2e '#{pane_tty}')" | tr ' ;' '\n\n' | grep -qx -e "$1"; }
is_cooked() { pane_has icanon && pane_has isig; }
is_raw() { pane_has -icanon && pane_has -isig; }
shows() { term capture-pane -p -t v2e | grep -qF -e "$1"; }

not_shown() { ! shows "$1"; }

terminal_session()
{
	term -f /dev/null new-session -d -s v2e -x 80 -y 25 \
		"timeout --foreground 120 '$V2E' run --engine emu --snapshot disk.img --display term 2>&1; echo status \$?; cat"
	check "terminal: text is shown" comes shows ready
	term capture-pane -p -e -t v2e >colours
	check "terminal: in its colours" grep -q '91[^a-l]*44malarm' colours
	term send-keys -t v2e a
	check "terminal: keys arrive" comes shows "count 1"
	term send-keys -t v2e F1
	check "terminal: those with sequences too" comes shows "count 2"
	# A key with Shift is the key; what is no key on a PC is none.
	term send-keys -t v2e S-F5
	check "terminal: with Shift" comes shows "count 3"
	term send-keys -t v2e -l "$(printf '\033[1;5D')"
	check "terminal: with Ctrl" comes shows "count 4"
	term send-keys -t v2e -l "$(printf '\033[29~')"
	term send-keys -t v2e -l "$(printf '\033[?1;2c')"
	term send-keys -t v2e M-x
	check "terminal: with Alt, and no other" comes shows "count 5"
	check "terminal: the process is stopped" kill -TSTP "$(guest_of_pane)"
	check "terminal: and gives it back" comes is_cooked
	check "terminal: is told to go on" kill -CONT "$(guest_of_pane)"
	check "terminal: takes it again" comes is_raw
	check "terminal: and draws anew" comes shows "count 5"
	check "terminal: these were all keys" not_shown "count 6"
	term send-keys -t v2e C-]
	check "terminal: Ctrl-] ends the run and gives the terminal back" comes shows "status 0"
	check "terminal: as it was" is_cooked
	for signal in TERM ABRT; do
		term respawn-pane -k -t v2e "timeout --foreground 120 '$V2E' run --engine emu --snapshot disk.img --display term 2>&1; echo status \$?; cat"
		check "terminal: once more" comes shows ready
		check "terminal: a signal, $signal" kill -"$signal" "$(guest_of_pane)"
		check "terminal: $signal ends it" comes shows "status "
		check "terminal: and gives the terminal back" is_cooked
	done
	term kill-server
}

if have tmux; then
	terminal_session
else
	skip "the terminal" "no tmux (Debian: apt install tmux)"
fi

# --- a window -----------------------------------------------------------------------------------
window_is_there() { xdotool search --name '^v2e' >window; }
window_shows() { xwd -silent -id "$window" -out window.xwd && "$V2E_BUILD/tests/boot/xwd2png" window.xwd window.png && like "$1" window.png; }

# What a window manager sends when its close button is clicked: the X server runs without
# one.
cat >close.pl <<'END'
use IO::Socket::UNIX;
my ($display, $window) = @ARGV;
my $x = IO::Socket::UNIX->new(Peer => "/tmp/.X11-unix/X" . substr($display, 1)) or die "no connection: $!";
sub ask { syswrite($x, $_[0]) or die "cannot send: $!" }
sub hear { my $got = ""; while (length $got < $_[0]) { sysread($x, $got, $_[0] - length $got, length $got) or die "no answer" } $got }
sub answer { my $got = hear(32); ord $got == 1 or die "an error: " . unpack("H*", $got); $got }
sub atom { ask(pack("CxvvxxA*x!4", 16, 2 + int((length($_[0]) + 3) / 4), length $_[0], $_[0])); unpack("x8V", answer()) }
ask(pack("axvvvvxx", "l", 11, 0, 0, 0));
my ($accepted, $length) = unpack("Cx5v", hear(8));
$accepted == 1 or die "refused";
hear(4 * $length);
my ($protocols, $delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
ask(pack("CCvVVCCvVVV5", 25, 0, 11, $window, 0, 33, 32, 0, $window, $protocols, $delete, 0, 0, 0, 0));
ask(pack("Cxv", 43, 1)); # its answer says that all before has been done
answer();
END
close_window() { perl close.pl "$DISPLAY" "$window"; }
counted() { [ "$(od -An -tu1 -j512 -N1 disk.img)" -eq "$1" ]; }

# Without commands, with a disk that is written to.
close_free_run()
{
	timeout 120 "$V2E" run --engine emu disk.img --display sdl >out 2>&1 </dev/null &
	guest=$!
	check "window: without commands" comes window_is_there
	window=$(head -n 1 window)
	check "window: the guest is ready" comes window_shows first.png
	xdotool windowfocus --sync "$window" key a key F1
	check "window: the disk is written to" comes counted 2
	check "window: it is asked to close" close_window
	check "window: that ends the run" ended 0
	check "window: without a word" test ! -s out
	check "window: and closes it" sh -c '! xdotool search --name "^v2e"'
	check "window: the disk is complete" timeout 120 "$V2E" run --engine emu disk.img --do 'wait-text ready' --do 'keys a' --do 'wait-text "count 3"'
}

# The commands have not come to their end.
close_commanded_run()
{
	guest --display sdl --do 'wait-text never 100s'
	check "window: with commands" comes window_is_there
	window=$(head -n 1 window)
	check "window: the guest is ready" comes window_shows first.png
	check "window: it is asked to close" close_window
	check "window: that fails the command" ended 1
	check "window: and is said" grep -q 'the display was closed' out
}

window_session()
{
	# What the libraries behind SDL keep to the end is not ours, and they are unloaded
	# before it could be told by their names.
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	export ASAN_OPTIONS
	guest --display sdl --do 'wait-text ready' --do 'sleep 100ms' --do 'screenshot ready.png' --do 'wait-text "count 2" 60s'
	check "window: the guest is ready" comes test -s ready.png
	check "window: it is there" comes window_is_there
	window=$(head -n 1 window)
	check "window: it shows the screenshot" comes window_shows ready.png
	xdotool windowfocus --sync "$window" key a key F1
	check "window: keys arrive" ended 0
	mv ready.png first.png
	close_free_run
	close_commanded_run
}

if refuses "built without SDL" --display sdl --do quit; then
	skip "the window" "v2e was built without SDL 2"
elif have Xvfb && have xdotool && have xwd; then
	check "without a graphical session there is no window" env -u DISPLAY -u WAYLAND_DISPLAY SDL_VIDEODRIVER=x11 sh -c \
		"timeout 60 $V2E run --display sdl >out 2>&1; test \$? -eq 2 && grep -q 'no window can be opened' out"
	Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3>display >xvfb.out 2>&1 &
	xvfb=$!
	check "an X server starts" comes test -s display
	DISPLAY=:$(cat display) SDL_VIDEODRIVER=x11
	export DISPLAY SDL_VIDEODRIVER
	window_session
	kill "$xvfb"
else
	skip "the window" "no Xvfb, xdotool or xwd (Debian: apt install xvfb xdotool x11-apps)"
fi
finish
