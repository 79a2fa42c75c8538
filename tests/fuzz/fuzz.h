/* What each fuzz target offers: libFuzzer's entry. With -fsanitize=fuzzer it makes
 * a fuzzer, with replay.c a program that runs files (for AFL++: TARGET @@). */
#ifndef V2E_TESTS_FUZZ_FUZZ_H
#define V2E_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Never returns anything but 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
