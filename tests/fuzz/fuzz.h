/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_FUZZ_FUZZ_H
#define PVF_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The entry that libFuzzer and standalone_main.c call; aborts on a broken property. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
