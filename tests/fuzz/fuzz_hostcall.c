/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A script of host calls over a small guest memory and the fake crypto.  Nothing a guest passes may
 * crash, reach outside its memory, or leave a trap without a text.
 *
 * A step is a byte: below 128 the call of that function of the table, its arguments following (a
 * tag byte each, see `next_arg`); else a write of up to 63 bytes of the script into the memory.
 */
#include "fuzz/fuzz.h"

#include "base/cursor.h"
#include "base/log.h"
#include "support/hostcall_bench.h"

#include <stdlib.h>

#define STEPS_MAX 64

struct script {
    struct pvf__cursor bytes;
    uint64_t last; /* result of the last call */
};

static uint32_t next_number(struct script *script)
{
    uint8_t low = 0;
    uint8_t high = 0;
    if (!pvf__cursor_u8(&script->bytes, &low) || !pvf__cursor_u8(&script->bytes, &high)) {
        return 0;
    }
    return (uint32_t)(low | high << 8);
}

static uint64_t next_arg(struct script *script)
{
    uint8_t tag = 0;
    uint64_t raw = 0;
    if (!pvf__cursor_u8(&script->bytes, &tag)) {
        return 0;
    }
    switch (tag % 6) {
    case 0: /* an address in the first page, or a small number */
        return next_number(script);
    case 1: { /* bytes in the first page */
        uint32_t ptr = next_number(script);
        return fat(ptr, next_number(script));
    }
    case 2: { /* bytes that end near the memory's end */
        uint32_t ptr = BENCH_SIZE - next_number(script);
        return fat(ptr, next_number(script));
    }
    case 3:
        return script->last;
    case 4: /* near the last result, as headers are */
        return script->last + tag / 6 - 16;
    default:
        return pvf__cursor_u64le(&script->bytes, &raw) ? raw : UINT64_MAX;
    }
}

static void step_write(struct bench *bench, struct script *script, uint8_t op)
{
    uint32_t at = next_number(script);
    const uint8_t *data;
    uint8_t *target;
    uint32_t len = op & 63U;
    if (pvf__cursor_claim(&script->bytes, len, &data) &&
        pvf__guest_range(&bench->guest.memory, at, len, &target)) {
        memcpy(target, data, len);
    }
}

/* False when the guest has trapped: then it is over. */
static bool step_call(struct bench *bench, struct script *script, uint8_t op)
{
    const struct pvf__hostcall *call = pvf__hostcall_at(op % pvf__hostcall_count());
    uint64_t args[PVF__HOSTCALL_PARAMS] = {0};
    for (size_t i = 0; call->params[i] != '\0'; i++) {
        args[i] = next_arg(script);
        if (call->params[i] == 'i') {
            args[i] = (uint32_t)args[i];
        }
    }
    uint64_t ret = 0;
    bench->context.trap[0] = '\0';
    if (call->call(&bench->context, args, &ret) != 0) {
        if (bench->context.trap[0] == '\0') {
            abort();
        }
        return false;
    }
    if ((call->result[0] == 'i' && ret > UINT32_MAX) || (call->result[0] == '\0' && ret != 0)) {
        abort();
    }
    if (call->result[0] == 'I') {
        uint8_t *data;
        if (!pvf__guest_range(&bench->guest.memory, (uint32_t)ret, (uint32_t)(ret >> 32), &data)) {
            abort();
        }
    }
    script->last = ret;
    return true;
}

static void ignore_line(void *context, enum pvf__log_level level, const char *line)
{
    (void)context;
    (void)level;
    for (size_t i = 0; line[i] != '\0'; i++) {
        if ((unsigned char)line[i] < 0x20) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    pvf__log_setup(ignore_line, NULL, PVF__LOG_TRACE);
    struct bench bench;
    bench_init(&bench, 6);
    struct script script = {.last = 0};
    pvf__cursor_init(&script.bytes, data, len);
    uint8_t op;
    for (unsigned i = 0; i < STEPS_MAX && pvf__cursor_u8(&script.bytes, &op); i++) {
        if (op >= 128) {
            step_write(&bench, &script, op);
        } else if (!step_call(&bench, &script, op)) {
            break;
        }
    }
    bench_done(&bench);
    return 0;
}
