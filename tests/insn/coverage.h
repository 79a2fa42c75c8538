/* Counts the rows of ops.def that a test program executes. The program is linked
 * with -Wl,--wrap=decode_insn; at its end the counts are appended to the file that
 * V2E_OP_COVERAGE names, as lines of row and count. */
#ifndef V2E_TESTS_INSN_COVERAGE_H
#define V2E_TESTS_INSN_COVERAGE_H

/* Call once at the start; without V2E_OP_COVERAGE nothing is counted. */
void coverage_init(void);

#endif
