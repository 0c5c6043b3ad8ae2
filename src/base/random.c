/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: asking the kernel for random bytes. */
#include "base/random.h"

#include "base/error.h"
#include "pvf/status.h"

#include <errno.h>
#include <sys/random.h>

int pvf__random(void *out, size_t len, pvf_error *err)
{
    ssize_t got;
    do {
        got = getrandom(out, len, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "no random numbers");
    }
    return got == (ssize_t)len ? 0 : pvf__error_set(err, PVF_ERR_IO, "too few random numbers");
}
