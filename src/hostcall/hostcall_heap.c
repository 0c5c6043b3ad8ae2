/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the interface "Allocator".  Trusts no pointer that the guest gives back. */
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

/* Here a fault of the heap is a panic of the host function, unlike one met for a result. */
static int
give_up(struct pvf__hostcall_context *context, const char *what, enum pvf__allocator_fault fault)
{
    return pvf__marshal_trap(
        context,
        "host code panicked while being called by the runtime: Failed to %s memory: \"%s\"",
        what,
        pvf__allocator_text(fault));
}

int pvf__hostcall_heap_malloc(struct pvf__hostcall_context *context,
                              const uint64_t *args,
                              uint64_t *ret)
{
    if (context->memory == NULL || context->allocator == NULL) {
        return pvf__marshal_absent(context);
    }
    uint32_t ptr;
    enum pvf__allocator_fault fault =
        pvf__allocator_allocate(context->allocator, context->memory, (uint32_t)args[0], &ptr);
    if (fault != PVF__ALLOCATOR_OK) {
        return give_up(context, "allocate", fault);
    }
    *ret = ptr;
    return 0;
}

int pvf__hostcall_heap_free(struct pvf__hostcall_context *context,
                            const uint64_t *args,
                            uint64_t *ret)
{
    (void)ret;
    if (context->memory == NULL || context->allocator == NULL) {
        return pvf__marshal_absent(context);
    }
    enum pvf__allocator_fault fault =
        pvf__allocator_free(context->allocator, context->memory, (uint32_t)args[0]);
    return fault == PVF__ALLOCATOR_OK ? 0 : give_up(context, "deallocate", fault);
}
