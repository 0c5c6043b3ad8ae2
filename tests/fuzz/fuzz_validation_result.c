/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest returns. */
#include "fuzz/fuzz.h"

#include "support/proto_samples.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (proto_check(PROTO_VALIDATION_RESULT, data, len) != 0) {
        abort();
    }
    return 0;
}
