/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_floor clone|fenced|copy N [BYTES]: what no worker can do without, one time in nanoseconds a
 * line: a process that ends at once and is waited for; the same in all the namespaces of a job; and
 * a copy of BYTES into memory that was never touched, as a guest's is.
 */
#include "base/clock.h"
#include "base/text.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_clone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT_MAX 1000000u
#define BYTES_MAX ((uint64_t)1 << 30)

static int clone_once(uint64_t namespaces, uint64_t *ret_ns)
{
    uint64_t begin = pvf__clock_monotonic_ns();
    int pid_fd;
    int status;
    pid_t pid = pvf__sandbox_clone(namespaces, &pid_fd);
    if (pid == 0) {
        _exit(0);
    }
    if (pid < 0) {
        perror("clone");
        return -1;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        /* Again. */
    }
    *ret_ns = pvf__clock_monotonic_ns() - begin;
    (void)close(pid_fd);
    return 0;
}

static int copy_once(const void *from, size_t len, uint64_t *ret_ns)
{
    void *to = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (to == MAP_FAILED) {
        perror("mmap");
        return -1;
    }
    uint64_t begin = pvf__clock_monotonic_ns();
    memcpy(to, from, len);
    /* Read back, so that the copy is made. */
    __asm__ volatile("" : : "r"(to) : "memory");
    *ret_ns = pvf__clock_monotonic_ns() - begin;
    return munmap(to, len);
}

static int run(const char *what, uint64_t count, uint64_t bytes)
{
    const struct pvf__sandbox_plan plan = {.secure_clone = true, .change_root = geteuid() == 0};
    uint64_t namespaces = strcmp(what, "fenced") == 0 ? pvf__sandbox_job_namespaces(&plan) : 0;
    bool copies = strcmp(what, "copy") == 0;
    PVF__CLEANUP_FREE uint8_t *source = malloc((size_t)bytes);
    if (source == NULL) {
        perror("malloc");
        return 1;
    }
    memset(source, 0x5a, (size_t)bytes);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t ns = 0;
        int status = copies ? copy_once(source, (size_t)bytes, &ns) : clone_once(namespaces, &ns);
        if (status != 0 || printf("%" PRIu64 "\n", ns) < 0) {
            return 1;
        }
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    uint64_t count = 0;
    uint64_t bytes = 1;
    bool known = argc >= 3 && (strcmp(argv[1], "clone") == 0 || strcmp(argv[1], "fenced") == 0 ||
                               (strcmp(argv[1], "copy") == 0 && argc == 4));
    if (!known || !pvf__text_parse_u64(argv[2], COUNT_MAX, &count) ||
        (argc == 4 && !pvf__text_parse_u64(argv[3], BYTES_MAX, &bytes)) || bytes == 0) {
        (void)fprintf(stderr, "usage: %s clone|fenced|copy N [BYTES]\n", argv[0]);
        return 2;
    }
    return run(argv[1], count, bytes);
}
