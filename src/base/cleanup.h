/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_CLEANUP_H
#define PVF_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/*
 * Owners that let go by themselves at the end of their scope.  Initialise at the declaration; give
 * ownership away only by PVF__TAKE_PTR / PVF__TAKE_FD, so that it can be seen.
 */
static inline void pvf__cleanup_free(void *slot)
{
    void **owner = slot;
    free(*owner);
}

static inline void pvf__cleanup_fd(const int *slot)
{
    if (*slot >= 0) {
        (void)close(*slot);
    }
}

/* Before the end of its scope, or where it has none; -1 afterwards. */
static inline void pvf__close_fd(int *slot)
{
    pvf__cleanup_fd(slot);
    *slot = -1;
}

#define PVF__CLEANUP_FREE __attribute__((cleanup(pvf__cleanup_free)))
#define PVF__CLEANUP_FD __attribute__((cleanup(pvf__cleanup_fd)))
#define PVF__CLEANUP_BUF __attribute__((cleanup(pvf__buf_done)))

#define PVF__TAKE_PTR(pointer)                                                                     \
    __extension__({                                                                                \
        __typeof__(pointer) pvf__taken = (pointer);                                                \
        (pointer) = NULL;                                                                          \
        pvf__taken;                                                                                \
    })

#define PVF__TAKE_FD(fd)                                                                           \
    __extension__({                                                                                \
        int pvf__taken = (fd);                                                                     \
        (fd) = -1;                                                                                 \
        pvf__taken;                                                                                \
    })

#define PVF__NODISCARD __attribute__((warn_unused_result))

#endif
