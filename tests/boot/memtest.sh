#!/bin/sh
# Memtest86+ 6: a kernel by the Linux boot protocol that leaves nothing of the machine
# alone. Directly, and from ISOLINUX's menu.
. "${V2E_SRC:-.}/tests/lib.sh"
. "$V2E_SRC/tests/boot/lib.sh"
memtest=/boot/memtest86+ia32.bin
need $memtest memtest86+

# To the first test, where it shows patterns. Enter is for those who do not wait.
first_test()
{
	guest "$@" --timeout 300s --do 'wait-text "Memtest86+ v6" 100s' --do 'wait-text "Press <F1>" 60s' --do 'keys <enter>' \
		--do 'wait-text "Pattern: 0x" 100s' --do 'screen-text screen' --do quit
}
check "Memtest86+ gets to its first test" first_test -m 48M --kernel $memtest
check "it sees all memory" grep -q '^Memory  : *4[78][0-9.]*MB' screen
check "it shows the CPU" grep -q 'Memtest86+ v6.10 .* Pentium II' screen
check "it names the test" grep -q 'Test #[0-9]* *\[' screen
check "it tests all of the memory" grep -q 'Testing: .* of 47' screen
check "no errors" grep -q 'Errors: 0' screen
check "on an older CPU" first_test -m 16M --cpu pentium $memtest
check "it shows that CPU" grep -q 'Memtest86+ v6.10 .* Pentium *$' screen

if [ -r /usr/lib/ISOLINUX/isolinux.bin ] && have xorriso; then
	mkdir -p cd/boot/isolinux
	cp $memtest cd/boot/isolinux/memtest
	printf 'default memtest\nprompt 0\nlabel memtest\n  linux memtest\n' >cd/boot/isolinux/isolinux.cfg
	"$boot/make-iso.sh" cd memtest.iso || exit 1
	check "from ISOLINUX's menu" first_test -m 48M memtest.iso
	check "with all memory" grep -q '^Memory  : *4[78][0-9.]*MB' screen
else
	skip "from ISOLINUX's menu" "no isolinux or no xorriso (Debian: apt install isolinux xorriso)"
fi
finish
