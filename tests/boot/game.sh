#!/bin/sh
# A game in a boot sector, played by a script.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
need nasm nasm
need /usr/share/seabios/bios.bin seabios
assemble game || exit 1

play() { guest "$payloads/game.bin" --timeout 120s --do 'wait-text "Take the stars" 60s' "$@" --do 'screen-text screen' --do quit; }

left='<left><left><left><left><left><left>' right='<right><right><right><right><right><right>'
check "the stars are taken" play --do "keys $left$right$right$left<down><down><down>" --do 'wait-text "You have won" 10s'
check "the score is three" grep -q '^Take the stars, keep off the mine *3' screen
check "two stars are not enough" play --do "keys $left$right$right" --do 'wait-stable 10ms 10s'
check "the score is two" grep -q '^Take the stars, keep off the mine *2' screen
check "the mine" play --do 'keys <up><up><up>' --do 'wait-text "The mine has got you" 10s'
check "another try" play --do 'keys <up><up><up>' --do 'wait-text "The mine has got you" 10s' --do 'keys <space>' \
	--do 'wait-text "Take the stars" 60s' --do "keys $left" --do 'wait-stable 10ms 10s'
check "starts anew" grep -q '^Take the stars, keep off the mine *1' screen
finish
