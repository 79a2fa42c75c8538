#!/bin/sh
# v2e test: pictures, several engines, the samples.
. "${V2E_SRC:-.}/tests/lib.sh"
cd "$tmp" || exit 1
. "$V2E_SRC/tests/cli/test-lib.sh"
need_a_guest

# --- pictures --------------------------------------------------------------------------
v2etest picture <<'END'
[machine]
image=graphics.bin
[steps]
draw=sleep 1s
still=wait-stable 300ms
[expect]
screen=picture.png
END
check "no reference picture" outcome 1 'picture.png: No such file|--update' picture.v2etest
check "--update makes it" outcome 0 'ok 1 - picture|written: ' --update picture.v2etest
check "...so that it passes" outcome 0 'ok 1 - picture' picture.v2etest
check "...and is not written again" outcome 0 'ok 1 - picture' --update picture.v2etest
not_written() { ! grep written: out; }
check "...indeed" not_written
# Another picture: the row of white pixels is half as long.
boot_sector graphics.bin '\270\023\000\315\020\270\000\240\216\300\061\377\271\240\000\260\017\374\363\252\372\364'
check "another picture" outcome 1 'screen: |picture.png: 160 pixels differ, by up to 255, between 160,0 and 319,0' picture.v2etest
check "...leaves the reference and the difference" test -s v2e-artefacts/picture/reference.png -a -s v2e-artefacts/picture/difference.png
adjust() { { cat picture.v2etest; echo "$1"; } >adjusted.v2etest; }
for rule in pixels=160 tolerance=255 'ignore=0,5,9,9;160,0,160,1' mask=black.png; do
	adjust "$rule"
	[ "$rule" = mask=black.png ] && {
		# An all black screen of the same size: mode 13h and nothing else.
		boot_sector black.bin '\270\023\000\315\020\372\364'
		sed 's/graphics.bin/black.bin/; s/picture.png/black.png/' picture.v2etest >black.v2etest
		ends 0 --update black.v2etest >/dev/null
	}
	check "$rule lets it pass" outcome 0 'ok 1 - adjusted' adjusted.v2etest
done
for rule in pixels=159 tolerance=254 'ignore=161,0,160,1'; do
	adjust "$rule"
	check "$rule does not" outcome 1 'differ' adjusted.v2etest
done
rm -rf v2e-artefacts

# --- engines ---------------------------------------------------------------------------
v2etest good/two <<'END'
[test]
engines=emu;auto
[machine]
image=spin.bin
[steps]
boot=wait-text Booting 20s
still=wait-stable 300ms
END
check "a test on two engines" outcome 0 '1..3|ok 1 - good/two [emu]|ok 2 - good/two [auto]|ok 3 - good/two [emu = auto]' good/two.v2etest
check "--engines wins" outcome 0 '1..1|ok 1 - good/two [emu]' --engines emu good/two.v2etest
check "--engines names each once" usage '--engines|twice' --engines emu,emu good
check "an engine that there is not" usage 'unknown engine|fast' --engines fast good/two.v2etest
if [ -w /dev/kvm ]; then
	check "--engines emu,hybrid" outcome 0 'ok 3 - good/text [emu = hybrid]' --engines emu,hybrid good/text.v2etest
	if have nasm; then
		nasm -f bin -o count.bin "$V2E_SRC/tests/gdb/kvm.asm"
		v2etest count <<'END'
[test]
engines=hybrid
[machine]
floppy=count.bin
[steps]
counts=wait-serial S 100s
more=sleep 1s
[expect after more]
mode=pm32
registers=cs=8; ebx=5000..0xffffffff
END
		check "what KVM has done is seen" outcome 0 'ok 1 - count [hybrid]' count.v2etest
		rm -f count.v2etest
	else
		skip "what KVM has done is seen" "no nasm"
	fi
else
	skip "--engines emu,hybrid" "no /dev/kvm"
fi
rm -f good/two.v2etest

# --- samples ---------------------------------------------------------------------------
if have nasm; then
	mkdir images
	for name in hello exit switch; do
		nasm -f bin -o images/$name.bin "$V2E_SRC/tests/boot/$name.asm"
	done
	nasm -f bin -DSTAY -o images/stay.bin "$V2E_SRC/tests/boot/switch.asm"
	check "the samples pass" outcome 0 '# 4 passed' --images images "$V2E_SRC/tests/samples"
	repeats()
	{
		for n in 1 2; do
			ends 0 --keep --images images "$V2E_SRC/tests/samples/switch.v2etest" >/dev/null || return 1
			cat v2e-artefacts/*/result.ini v2e-artefacts/*/transitions.txt v2e-artefacts/*/registers.txt >run$n
		done
		cmp run1 run2
	}
	check "...and repeat to the last instruction" repeats
else
	skip "the samples" "no nasm (Debian: apt install nasm)"
fi

finish
