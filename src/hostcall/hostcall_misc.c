/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: printing in the interface "Misc".  A guest sees nothing of it but bad ranges. */
#include "base/log.h"
#include "base/text.h"
#include "hostcall/guest_text.h"
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

#include <inttypes.h>

#define TEXT_MAX 896
/* Bytes of which print_hex shows the digits. */
#define HEX_MAX 256U

int pvf__hostcall_misc_print_num(struct pvf__hostcall_context *context,
                                 const uint64_t *args,
                                 uint64_t *ret)
{
    (void)context;
    (void)ret;
    pvf__log(PVF__LOG_DEBUG, "runtime: %" PRIu64, args[0]);
    return 0;
}

int pvf__hostcall_misc_print_utf8(struct pvf__hostcall_context *context,
                                  const uint64_t *args,
                                  uint64_t *ret)
{
    (void)ret;
    const struct pvf__frame frame = {context, "Misc", "print_utf8"};
    struct pvf__slice data;
    if (pvf__marshal_fat(&frame, "utf8", args[0], &data) != 0) {
        return -1;
    }
    if (pvf__log_enabled(PVF__LOG_DEBUG) && pvf__text_is_utf8(data.data, data.len)) {
        char text[TEXT_MAX];
        pvf__guest_text_clean(data, text, sizeof(text));
        pvf__log(PVF__LOG_DEBUG, "runtime: %s", text);
    }
    return 0;
}

int pvf__hostcall_misc_print_hex(struct pvf__hostcall_context *context,
                                 const uint64_t *args,
                                 uint64_t *ret)
{
    (void)ret;
    const struct pvf__frame frame = {context, "Misc", "print_hex"};
    struct pvf__slice data;
    if (pvf__marshal_fat(&frame, "data", args[0], &data) != 0) {
        return -1;
    }
    if (pvf__log_enabled(PVF__LOG_DEBUG)) {
        char digits[2 * HEX_MAX + 1];
        size_t shown = data.len < HEX_MAX ? data.len : HEX_MAX;
        pvf__text_to_hex(data.data, shown, digits);
        pvf__log(PVF__LOG_DEBUG, "runtime: 0x%s%s", digits, shown < data.len ? "…" : "");
    }
    return 0;
}
