/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar alone, which is where most bytes end; and the summary of what passes. */
#include "fuzz/fuzz.h"

#include "wasm/wasm_inspect.h"
#include "wasm/wasm_rewrite.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pvf__wasm_fault fault;
    int status = pvf__wasm_check(data, len, &fault);
    struct pvf__wasm_summary summary;
    if (pvf__wasm_summarize(data, len, &summary, &fault) != status) {
        abort();
    }
    if (status == 0) {
        pvf__wasm_summary_done(&summary);
    }
    return 0;
}
