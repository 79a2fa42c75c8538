#!/bin/sh
# Displays of a guest in a graphics mode that has a mouse: VNC with a client that has
# nothing in common with the server, a window on an X server without a screen.
. "${V2E_SRC:-.}/tests/lib.sh"
pngdiff=$V2E_BUILD/tests/boot/pngdiff
cd "$tmp"
if ! have nasm; then
	skip "displays of graphics" "no nasm (Debian: apt install nasm)"
	finish
fi
nasm -f bin -o mouse.img "$V2E_SRC/tests/boot/mouse.asm" && truncate -s 1M mouse.img || exit 1

# guest DISPLAY COMMANDS...: in the background; its number is $guest. Text, then after
# a key graphics and, on the serial port, packets of the mouse.
guest()
{
	rm -f ready.png drawn.png serial out
	display=$1
	shift
	timeout 120 "$V2E" run --engine emu --snapshot mouse.img --serial file:serial --display "$display" "$@" >out 2>&1 </dev/null &
	guest=$!
}

# Both buttons at once end it.
ended()
{
	wait "$guest"
	status=$?
	cat out
	[ $status -eq 0 ]
}

# moved X Y WHEEL: to the right, down and towards the user, all packets together. A
# packet is flags, X, Y, wheel, where bits 4 and 5 of the flags are the signs of X and Y,
# and Y counts upwards.
moved()
{
	tail -n +2 serial | awk -v x="$1" -v y="$2" -v z="$3" '
		function number(hex) { return index("0123456789abcdef", substr(hex, 1, 1)) * 16 + index("0123456789abcdef", substr(hex, 2, 1)) - 17 }
		NF == 4 { flags = number($1); wheel = number($4); dz += wheel - (wheel > 127 ? 256 : 0)
			dx += number($2) - (int(flags / 16) % 2 ? 256 : 0); dy -= number($3) - (int(flags / 32) % 2 ? 256 : 0) }
		END { print "moved", dx + 0, dy + 0, dz + 0; exit !(dx == x && dy == y && dz == z) }'
}
# buttons BITS: of the last packet
buttons() { tail -n 1 serial | grep -qE "^[0-9a-f]$1( [0-9a-f]{2}){3} \$" || { cat serial; return 1; }; }
buttons_were() { grep -qE "^[0-9a-f]$1( [0-9a-f]{2}){3} \$" serial || { cat serial; return 1; }; } # of any

equal() { facts=$("$pngdiff" diff "$1" "$2") || return 1; echo "$facts"; [ "${facts%% *}" -eq 0 ]; }
picture_is() { facts=$("$pngdiff" info "$1") || return 1; echo "$facts"; [ "${facts% *}" = "$2 $3" ] && [ "${facts##* }" -ge "$4" ]; }

# --- VNC --------------------------------------------------------------------------------
cat >client.pl <<'END'
use Net::VNC;
my ($port, $file, @events) = @ARGV;
my $vnc = Net::VNC->new({ hostname => '127.0.0.1', port => $port });
$vnc->depth(24);
$vnc->login;
$vnc->capture->save($file) if $file;
for (@events) {
	if (/^(\d+),(\d+),(\d+)$/) { $vnc->send_pointer_event($1, $2, $3) } else { $vnc->send_key_event(ord) }
}
print $vnc->width, "x", $vnc->height, "\n";
END
client() { perl client.pl "$port" "$@" >client.out 2>&1; cat client.out; }

vnc_session()
{
	port=$((20000 + $$ % 20000))
	guest "vnc=$port" --do 'wait-text ready 60s' --do 'screenshot ready.png' --do 'wait-serial drawn 60s' --do 'screenshot drawn.png' --do 'wait-serial "0b " 100s' --do quit
	check "VNC: the guest is ready" comes test -s ready.png
	check "VNC: a key makes it draw" client '' a
	check "VNC: it has drawn" comes test -s drawn.png
	sees_graphics() { client vnc.png && equal drawn.png vnc.png; }
	check "VNC: the client sees the graphics" comes sees_graphics
	check "VNC: 800x600 in all colours" picture_is vnc.png 800 600 200
	check "VNC: the pointer is moved" client '' 0,100,50 0,400,200 0,390,220
	check "VNC: the guest's mouse moves as far" comes moved 390 220 0
	check "VNC: a button is pressed, and let go" client '' 1,390,220 0,390,220
	check "VNC: the guest's is" comes buttons_were 9
	check "VNC: and let go" comes buttons 8
	check "VNC: a viewer leaves with another one held" client '' 4,390,220
	check "VNC: the guest's was" comes buttons_were a
	check "VNC: and is let go" comes buttons 8
	check "VNC: without a move" moved 390 220 0
	check "VNC: the wheel is turned up" client '' 8,390,220 0,390,220
	check "VNC: the guest's is" comes moved 390 220 -1
	check "VNC: down, twice" client '' 16,390,220 0,390,220 16,390,220 0,390,220
	check "VNC: the guest's is" comes moved 390 220 1
	check "VNC: that was no button" buttons 8
	check "VNC: both pressed" client '' 5,390,220
	check "VNC: are the guest's" ended
}

if timeout 60 "$V2E" run --display vnc=x 2>&1 | grep -q "built without libvncserver"; then
	skip "VNC" "v2e was built without libvncserver"
elif perl -MNet::VNC -e 1 2>/dev/null; then
	vnc_session
else
	skip "a VNC client" "no Net::VNC (Debian: apt install libnet-vnc-perl)"
fi

# --- a window -----------------------------------------------------------------------------------
window_is_there() { xdotool search --name '^v2e' >window; }
named() { xdotool getwindowname "$window" | grep -q "$1"; }
sized() { xdotool getwindowgeometry "$window" >geometry; cat geometry; grep -q "Geometry: $1\$" geometry; }
takes_picture() { xwd -silent -id "$window" -out window.xwd && "$V2E_BUILD/tests/boot/xwd2png" window.xwd window.png; }
shows_picture() { takes_picture && equal drawn.png window.png; }
shows_scaled() { takes_picture && picture_is window.png 400 300 100; }

window_session()
{
	# What the libraries behind SDL keep to the end is not ours.
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	export ASAN_OPTIONS
	guest sdl --do 'wait-text ready 60s' --do 'screenshot ready.png' --do 'wait-serial drawn 60s' --do 'screenshot drawn.png' --do 'wait-serial "0b " 100s' --do quit
	check "window: the guest is ready" comes test -s ready.png
	check "window: it is there" comes window_is_there
	window=$(head -n 1 window)
	check "window: as large as the text" comes sized 720x400
	xdotool windowfocus --sync "$window" key a
	check "window: the guest has drawn" comes test -s drawn.png
	check "window: as large as the graphics" comes sized 800x600
	check "window: it shows them" comes shows_picture
	xdotool mousemove --sync --window "$window" 100 100 mousemove_relative --sync 7 7 mousemove --sync --window "$window" 300 200 click 4 click 1
	check "window: a click takes the mouse" comes named 'gives the mouse back'
	check "window: nothing before is told to the guest" moved 0 0 0
	xdotool mousemove_relative 30 20
	check "window: a move is the guest's" comes moved 30 20 0
	xdotool click 4
	check "window: the wheel turned up is the guest's" comes moved 30 20 -1
	xdotool click 5 click 5
	check "window: and down, twice" comes moved 30 20 1
	xdotool mousedown 3
	check "window: a button is the guest's" comes buttons a
	xdotool mouseup 3
	check "window: until it is let go" comes buttons 8
	xdotool mousedown 3
	check "window: the button again" comes buttons a
	xdotool key ctrl+alt+g
	check "window: Ctrl+Alt+G gives the mouse back" comes named '^v2e$'
	check "window: the guest's button does not stay behind" comes buttons 8
	xdotool mouseup 3
	xdotool windowsize "$window" 400 300
	check "window: resized by hand" comes sized 400x300
	check "window: the picture is scaled" comes shows_scaled
	xdotool mousemove --sync --window "$window" 200 150 click 1
	check "window: another click takes it again" comes named 'gives the mouse back'
	xdotool mousedown 1 mousedown 3
	check "window: both buttons are the guest's" ended
}

if timeout 60 "$V2E" run --display sdl --do quit 2>&1 </dev/null | grep -q "built without SDL"; then
	skip "the window" "v2e was built without SDL 2"
elif have Xvfb && have xdotool && have xwd; then
	Xvfb -displayfd 3 -screen 0 1600x1200x24 -nolisten tcp 3>display >xvfb.out 2>&1 &
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
