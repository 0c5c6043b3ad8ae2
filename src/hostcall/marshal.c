/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the way of arguments and results between guest and host functions.  Trusts the context; no
 * pointer, length or byte from the guest.
 */
#include "hostcall/marshal.h"

#include "base/text.h"
#include "hostcall/marshal_scale.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No text may hold a bare `%`: these are parts of formats. */
#define WHERE                                                                                      \
    ": could not marshal the '%s' argument through the WASM FFI boundary while executing '%s' "    \
    "from interface '%s'"
#define HOSTCALL "when marshalling hostcall's arguments through the FFI boundary"

int pvf__marshal_trap(struct pvf__hostcall_context *context, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(context->trap, sizeof(context->trap), format, args);
    va_end(args);
    return -1;
}

int pvf__marshal_panic(struct pvf__hostcall_context *context, const char *text)
{
    return pvf__marshal_trap(
        context, "host code panicked while being called by the runtime: %s", text);
}

int pvf__marshal_absent(struct pvf__hostcall_context *context)
{
    return pvf__marshal_panic(context, "memory is always set; qed");
}

_Noreturn void pvf__marshal_no_memory(const struct pvf__hostcall_context *context)
{
    if (context->no_memory != NULL) {
        context->no_memory();
    }
    abort();
}

int pvf__marshal_fixed(const struct pvf__frame *frame,
                       const char *name,
                       uint64_t ptr,
                       uint32_t len,
                       const uint8_t **ret)
{
    struct pvf__slice slice = {0};
    int status = pvf__marshal_fat(frame, name, (uint64_t)len << 32 | (uint32_t)ptr, &slice);
    if (status == 0) {
        *ret = slice.data;
    }
    return status;
}

int pvf__marshal_fat(const struct pvf__frame *frame,
                     const char *name,
                     uint64_t fat,
                     struct pvf__slice *ret)
{
    struct pvf__hostcall_context *context = frame->context;
    if (context->memory == NULL) {
        return pvf__marshal_absent(context);
    }
    uint8_t *data;
    uint32_t len = (uint32_t)(fat >> 32);
    if (!pvf__guest_range(context->memory, (uint32_t)fat, len, &data)) {
        return pvf__marshal_trap(context,
                                 "Other: memory read is out of bounds" WHERE,
                                 name,
                                 frame->function,
                                 frame->interface);
    }
    *ret = (struct pvf__slice){.data = data, .len = len};
    return 0;
}

int pvf__marshal_str(const struct pvf__frame *frame,
                     const char *name,
                     uint64_t fat,
                     struct pvf__slice *ret)
{
    struct pvf__slice slice = {0};
    int status = pvf__marshal_fat(frame, name, fat, &slice);
    if (status != 0) {
        return status;
    }
    if (!pvf__text_is_utf8(slice.data, slice.len)) {
        return pvf__marshal_trap(frame->context,
                                 "could not parse '&str' " HOSTCALL
                                 ": the string is not valid UTF-8" WHERE,
                                 name,
                                 frame->function,
                                 frame->interface);
    }
    *ret = slice;
    return 0;
}

/* 0, or the trap for a SCALE argument of the Rust type `type` when there is a reason why not. */
static int
decoded(const struct pvf__frame *frame, const char *name, const char *type, const char *why)
{
    if (why == NULL) {
        return 0;
    }
    if (why == pvf__marshal_scale_no_memory) {
        pvf__marshal_no_memory(frame->context);
    }
    return pvf__marshal_trap(frame->context,
                             "could not SCALE-decode '%s' " HOSTCALL ": %s" WHERE,
                             type,
                             why,
                             name,
                             frame->function,
                             frame->interface);
}

int pvf__marshal_option(const struct pvf__frame *frame,
                        const char *name,
                        uint64_t fat,
                        bool *ret_some,
                        struct pvf__slice *ret)
{
    struct pvf__slice slice = {0};
    int status = pvf__marshal_fat(frame, name, fat, &slice);
    if (status != 0) {
        return status;
    }
    const char *why = pvf__marshal_scale_option(slice, ret_some, ret);
    return decoded(frame, name, "core::option::Option<alloc::vec::Vec<u8>>", why);
}

int pvf__marshal_list(const struct pvf__frame *frame,
                      const char *name,
                      uint64_t fat,
                      struct pvf__slice **ret,
                      size_t *ret_count)
{
    struct pvf__slice slice = {0};
    int status = pvf__marshal_fat(frame, name, fat, &slice);
    if (status != 0) {
        return status;
    }
    const char *why = pvf__marshal_scale_list(slice, ret, ret_count);
    return decoded(frame, name, "alloc::vec::Vec<alloc::vec::Vec<u8>>", why);
}

int pvf__marshal_pairs(const struct pvf__frame *frame,
                       const char *name,
                       uint64_t fat,
                       struct pvf__trie_pair **ret,
                       size_t *ret_count)
{
    struct pvf__slice slice = {0};
    int status = pvf__marshal_fat(frame, name, fat, &slice);
    if (status != 0) {
        return status;
    }
    const char *why = pvf__marshal_scale_pairs(slice, ret, ret_count);
    return decoded(frame, name, "alloc::vec::Vec<(alloc::vec::Vec<u8>, alloc::vec::Vec<u8>)>", why);
}

int pvf__marshal_enum(const struct pvf__frame *frame,
                      const char *name,
                      uint64_t value,
                      uint8_t max,
                      const char *type,
                      uint8_t *ret)
{
    uint8_t low = (uint8_t)value;
    if (low > max) {
        return pvf__marshal_trap(
            frame->context,
            "failed to convert 'u8' (passed as 'u32') into '%s' " HOSTCALL WHERE,
            type,
            name,
            frame->function,
            frame->interface);
    }
    *ret = low;
    return 0;
}

int pvf__marshal_writable(struct pvf__hostcall_context *context, uint64_t fat, uint8_t **ret)
{
    if (context->memory == NULL) {
        return pvf__marshal_absent(context);
    }
    if (!pvf__guest_range(context->memory, (uint32_t)fat, (uint32_t)(fat >> 32), ret)) {
        return pvf__marshal_trap(context, "Other: memory write is out of bounds");
    }
    return 0;
}

int pvf__marshal_return(struct pvf__hostcall_context *context,
                        const void *data,
                        size_t len,
                        uint64_t *ret)
{
    if (context->memory == NULL || context->allocator == NULL) {
        return pvf__marshal_absent(context);
    }
    uint32_t ptr;
    /* A length that does not fit is refused by the heap like any other that is too large. */
    uint32_t size = len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
    enum pvf__allocator_fault fault =
        pvf__allocator_allocate(context->allocator, context->memory, size, &ptr);
    if (fault != PVF__ALLOCATOR_OK) {
        return pvf__marshal_trap(context, "%s", pvf__allocator_text(fault));
    }
    uint8_t *target;
    if (!pvf__guest_range(context->memory, ptr, size, &target)) {
        return pvf__marshal_trap(context, "Other: memory write is out of bounds");
    }
    if (size > 0) {
        memcpy(target, data, size);
    }
    *ret = ptr;
    return 0;
}

int pvf__marshal_return_fat(struct pvf__hostcall_context *context,
                            const void *data,
                            size_t len,
                            uint64_t *ret)
{
    uint64_t ptr = 0;
    int status = pvf__marshal_return(context, data, len, &ptr);
    if (status == 0) {
        *ret = (uint64_t)len << 32 | ptr;
    }
    return status;
}
