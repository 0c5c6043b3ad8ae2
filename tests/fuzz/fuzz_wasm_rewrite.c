/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is done with a blob, against the properties that hold for any input. */
#include "fuzz/fuzz.h"

#include "support/wasm_property.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *broken = wasm_property_broken(data, len);
    if (broken != NULL) {
        (void)fprintf(stderr, "%s\n", broken);
        abort();
    }
    return 0;
}
