#!/bin/sh
# A game in a boot sector, played by a script.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need /usr/share/seabios/bios.bin seabios
assemble game || exit 1

# score N: in the title's line.
score() { printf 'wait-text "Take the stars, keep off the mine%44s" 10s' "$1"; }
play() { guest "$payloads/game.bin" --timeout 120s --do 'wait-text "Take the stars" 60s' "$@" --do 'screen-text screen' --do quit; }

left='<left><left><left><left><left><left>' right='<right><right><right><right><right><right>'
check "the stars are taken" play --do "keys $left$right$right$left<down><down><down>" --do 'wait-text "You have won" 10s'
check "the score is three" grep -q '^Take the stars, keep off the mine *3' screen
check "two stars are not enough" play --do "keys $left$right$right" --do "$(score 2)"
check "and the game goes on" sh -c '! grep -q "You have won" screen'
check "the mine" play --do 'keys <up><up><up>' --do 'wait-text "The mine has got you" 10s'
check "another try" play --do 'keys <up><up><up>' --do 'wait-text "The mine has got you" 10s' --do 'keys <space>' \
	--do 'wait-text "Take the stars" 60s' --do "keys $left" --do "$(score 1)"
finish
