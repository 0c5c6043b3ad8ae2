/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the kernel's count of processes that it killed for want of memory. */
#include "worker/worker_memory.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int counters = -1; /* one worker in a process */
static uint64_t last;

/* The counter, or what it was when it cannot be read. */
static uint64_t kills(void)
{
    static const char name[] = "\noom_kill ";
    static char text[32768];
    size_t len = 0;
    if (counters < 0 || lseek(counters, 0, SEEK_SET) != 0) {
        return last;
    }
    for (;;) {
        ssize_t got = read(counters, text + len, sizeof(text) - 1 - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    text[len] = '\0';
    const char *found = strstr(text, name);
    return found != NULL ? strtoull(found + sizeof(name) - 1, NULL, 10) : last;
}

void pvf__worker_memory_watch(void)
{
    counters = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
    last = kills();
}

bool pvf__worker_memory_was_short(void)
{
    uint64_t before = last;
    last = kills();
    return last != before;
}
