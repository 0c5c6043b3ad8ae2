/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: sealed memory.  Trusts a descriptor from elsewhere with nothing but what the kernel says.
 */
#include "base/sealed.h"

#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

int pvf__sealed_make(
    const char *name, const struct pvf__slice *parts, size_t count, int *ret, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "memfd_create");
    }
    for (size_t i = 0; i < count; i++) {
        int status = pvf__fd_write(fd, parts[i].data, parts[i].len, err);
        if (status != 0) {
            return status;
        }
    }
    if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "sealing memory");
    }
    *ret = PVF__TAKE_FD(fd);
    return 0;
}

int pvf__sealed_map(int fd, uint64_t len, struct pvf__slice *ret, pvf_error *err)
{
    struct stat info;
    /* Before the size is looked at: it may change until then. */
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0) {
        return pvf__error_errno(err, PVF_ERR_PEER, errno, "a descriptor that cannot be sealed");
    }
    if ((seals & SEALS) != SEALS) {
        return pvf__error_set(err, PVF_ERR_PEER, "memory that is not sealed");
    }
    if (fstat(fd, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "the size of sealed memory");
    }
    if (len > SIZE_MAX || info.st_size < 0 || (uint64_t)info.st_size != len) {
        return pvf__error_set(err,
                              PVF_ERR_PEER,
                              "sealed memory of %lld bytes instead of %llu",
                              (long long)info.st_size,
                              (unsigned long long)len);
    }
    if (len == 0) {
        *ret = (struct pvf__slice){NULL, 0};
        return 0;
    }
    void *data = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "mapping sealed memory");
    }
    *ret = (struct pvf__slice){data, (size_t)len};
    return 0;
}

void pvf__sealed_unmap(struct pvf__slice *mapped)
{
    if (mapped->len > 0) {
        union {
            const uint8_t *from;
            void *to;
        } both = {.from = mapped->data};
        (void)munmap(both.to, mapped->len);
    }
    *mapped = (struct pvf__slice){NULL, 0};
}
