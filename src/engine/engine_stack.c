/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the thread in which a guest runs.  Guest code checks its own use of the stack; the guard
 * is for host functions.  The engine gives the thread an alternate signal stack by itself.
 */
#include "engine/engine_stack.h"

#include "base/checked.h"
#include "base/error.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#define HOST_SHARE ((size_t)2 * 1024 * 1024)

/* Larger than any frame of a host function, so that none can step over it. */
#define GUARD ((size_t)1024 * 1024)

#define GRANULE ((size_t)64 * 1024)

struct errand {
    void (*fn)(void *arg);
    void *arg;
};

static void *run(void *context)
{
    const struct errand *errand = context;
    errand->fn(errand->arg);
    return NULL;
}

size_t pvf__engine_stack_size(uint32_t native_stack_max)
{
    return native_stack_max + HOST_SHARE;
}

static int run_on(uint8_t *stack, size_t size, struct errand *errand, pvf_error *err)
{
    pthread_attr_t attr;
    int failed = pthread_attr_init(&attr);
    if (failed != 0) {
        return pvf__error_errno(err, PVF_ERR_NO_MEMORY, failed, "cannot describe a thread");
    }
    pthread_t thread = 0;
    failed = pthread_attr_setstack(&attr, stack, size);
    if (failed == 0) {
        failed = pthread_create(&thread, &attr, run, errand);
    }
    (void)pthread_attr_destroy(&attr);
    if (failed == 0) {
        failed = pthread_join(thread, NULL);
    }
    if (failed != 0) {
        return pvf__error_errno(
            err, PVF_ERR_IO, failed, "cannot run a thread with %zu bytes of stack", size);
    }
    return 0;
}

int pvf__engine_on_big_stack(void (*fn)(void *arg), void *arg, size_t size, pvf_error *err)
{
    size_t total;
    if (!pvf__checked_add(size, GUARD + GRANULE - 1, &total)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a stack of %zu bytes is too large", size);
    }
    total -= total % GRANULE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    uint8_t *area = mmap(NULL, total, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (area == MAP_FAILED) {
        return pvf__error_errno(
            err, PVF_ERR_NO_MEMORY, errno, "cannot reserve %zu bytes of stack", total);
    }
    int status;
    if (mprotect(area, GUARD, PROT_NONE) != 0) {
        status = pvf__error_errno(err, PVF_ERR_IO, errno, "cannot guard the stack");
    } else {
        /* A shallow call must not pay for zeroing huge pages; refused where there are none. */
        (void)madvise(area, total, MADV_NOHUGEPAGE);
        struct errand errand = {fn, arg};
        status = run_on(area + GUARD, total - GUARD, &errand, err);
    }
    (void)munmap(area, total);
    return status;
}
