/* SPDX-License-Identifier: Apache-2.0 */
/* What every fuzz target includes. */
#ifndef AFN_FUZZ_H
#define AFN_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Try one input; returns 0.  libFuzzer calls it with inputs of its making,
 * replay_main.c with the files of the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
