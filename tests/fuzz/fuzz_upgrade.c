/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the upgraded wire; the first byte says which. */
#include "fuzz/fuzz.h"

#include "proto/upgrade.h"
#include "support/proto_samples.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum proto_kind kinds[] = {
        PROTO_UPGRADE_HELLO, PROTO_UPGRADE_READY, PROTO_UPGRADE_REQUEST};
    struct pvf__upgrade_ready ready;
    char text[64];
    if (len == 0) {
        return 0;
    }
    enum proto_kind kind = kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))];
    if (proto_check(kind, data + 1, len - 1) != 0) {
        abort();
    }
    if (pvf__upgrade_ready_decode(data + 1, len - 1, &ready, NULL) == 0) {
        pvf__upgrade_ready_text(&ready, text, sizeof(text));
        if (memchr(text, '\0', sizeof(text)) == NULL) {
            abort();
        }
    }
    return 0;
}
