/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the execute worker; the first byte says which. */
#include "fuzz/fuzz.h"

#include "support/proto_samples.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum proto_kind kinds[] = {PROTO_EXECUTE_REQUEST, PROTO_EXECUTE_ANSWER, PROTO_PVD};
    if (len == 0) {
        return 0;
    }
    enum proto_kind kind = kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))];
    if (proto_check(kind, data + 1, len - 1) != 0) {
        abort();
    }
    return 0;
}
