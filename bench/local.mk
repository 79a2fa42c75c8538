bench_files = bench/bench_boot bench/bench_emu bench/bench_policy bench/bench_policy_nested bench/guests/guest.inc \
	bench/guests/adler.asm bench/guests/bigreal.asm bench/guests/bigstring.asm \
	bench/guests/crc32.asm bench/guests/crctable.asm bench/guests/datacode.asm \
	bench/guests/farcall.asm bench/guests/int.asm bench/guests/loop16.asm \
	bench/guests/loop32.asm bench/guests/modes.asm bench/guests/muldiv.asm \
	bench/guests/nearcall.asm bench/guests/out.asm bench/guests/recurse.asm \
	bench/guests/repmovs.asm bench/guests/sieve.asm bench/guests/sieve32.asm \
	bench/guests/smc.asm bench/guests/stay.asm bench/guests/switchmix.asm bench/guests/vm86.asm

EXTRA_DIST += $(bench_files)
