/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the interface "Logging".  Trusts no text. */
#include "base/log.h"
#include "base/text.h"
#include "hostcall/guest_text.h"
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

/* Room in a line of the log, whose own limit is 1024. */
#define TARGET_MAX 64
#define MESSAGE_MAX 896

int pvf__hostcall_logging_log(struct pvf__hostcall_context *context,
                              const uint64_t *args,
                              uint64_t *ret)
{
    (void)ret;
    const struct pvf__frame frame = {context, "Logging", "log"};
    uint8_t level;
    struct pvf__slice target;
    struct pvf__slice message;
    if (pvf__marshal_enum(
            &frame, "level", args[0], 4, "sp_core::RuntimeInterfaceLogLevel", &level) != 0 ||
        pvf__marshal_str(&frame, "target", args[1], &target) != 0 ||
        pvf__marshal_fat(&frame, "message", args[2], &message) != 0) {
        return -1;
    }
    /* The guest counts from error = 0, the log from off = 0. */
    enum pvf__log_level own = (enum pvf__log_level)(level + 1);
    if (!pvf__log_enabled(own) || !pvf__text_is_utf8(message.data, message.len)) {
        return 0;
    }
    char target_text[TARGET_MAX];
    char message_text[MESSAGE_MAX];
    pvf__guest_text_clean(target, target_text, sizeof(target_text));
    pvf__guest_text_clean(message, message_text, sizeof(message_text));
    pvf__log(own, "%s: %s", target_text, message_text);
    return 0;
}

int pvf__hostcall_logging_max_level(struct pvf__hostcall_context *context,
                                    const uint64_t *args,
                                    uint64_t *ret)
{
    (void)args;
    *ret = context->max_log_level;
    return 0;
}
