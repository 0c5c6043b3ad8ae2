/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the room for growth in public structures (pvf/types.h). */
#include "base/reserved.h"

#include "base/error.h"

int pvf__reserved_check(const uint64_t *words, size_t count, const char *structure, pvf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i] != 0) {
            return pvf__error_set(err,
                                  PVF_ERR_INVALID_ARG,
                                  "reserved word %zu of a %s is not zero: it was not made all zero "
                                  "first, or this library is older than its user",
                                  i,
                                  structure);
        }
    }
    return 0;
}
