/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: looking at a worker's descendants through /proc.  Numbers of processes are never trusted
 * beyond a look: a pidfd is taken first and the relation is read again before it is used. */
#include "host/process_tree.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A small file of /proc, terminated; the number of bytes, or -1. */
static ssize_t read_small(const char *path, char *out, size_t size)
{
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t got = read(fd, out, size - 1);
    if (got >= 0) {
        out[got] = '\0';
    }
    return got;
}

/* The direct children of `parent`, at most `max`; false when the kernel does not tell. */
static bool list_children(pid_t parent, pid_t *out, size_t max, size_t *ret_count)
{
    char path[64];
    char text[4096];
    size_t count = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    if (read_small(path, text, sizeof(text)) < 0) {
        return false;
    }
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL && count < max;
         word = strtok_r(NULL, " ", &rest)) {
        uint64_t pid;
        if (pvf__text_parse_u64(word, INT32_MAX, &pid)) {
            out[count++] = (pid_t)pid;
        }
    }
    *ret_count = count;
    return true;
}

/*
 * All descendants, nearest first.  The array is the queue: each entry's children are appended, so
 * depth needs no stack, and its size is the limit.
 */
static bool list_descendants(pid_t root, pid_t out[PVF__PROCESS_TREE_MAX], size_t *ret_count)
{
    size_t count = 0;
    if (!list_children(root, out, PVF__PROCESS_TREE_MAX, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        size_t more = 0;
        if (list_children(out[i], out + count, PVF__PROCESS_TREE_MAX - count, &more)) {
            count += more;
        }
    }
    *ret_count = count;
    return true;
}

static bool contains(const pid_t *list, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == pid) {
            return true;
        }
    }
    return false;
}

void pvf__process_tree_open(pid_t root, struct pvf__process_tree *ret)
{
    pid_t pids[PVF__PROCESS_TREE_MAX];
    pid_t again[PVF__PROCESS_TREE_MAX];
    int fds[PVF__PROCESS_TREE_MAX];
    size_t count = 0;
    size_t again_count = 0;
    ret->count = 0;
    if (!list_descendants(root, pids, &count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        fds[i] = (int)syscall(SYS_pidfd_open, pids[i], 0);
    }
    /* A number that is still a descendant's was one when its pidfd was taken. */
    (void)list_descendants(root, again, &again_count);
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0 && contains(again, again_count, pids[i])) {
            ret->fds[ret->count++] = fds[i];
        } else if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

void pvf__process_tree_kill(struct pvf__process_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        /* Fails only when it has ended, which is what is wanted. */
        (void)syscall(SYS_pidfd_send_signal, tree->fds[i], SIGKILL, NULL, 0);
        (void)close(tree->fds[i]);
    }
    tree->count = 0;
}

/* Ticks of one process; with its reaped children when asked. */
static bool ticks_of(pid_t pid, bool with_children, uint64_t *ret)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (read_small(path, text, sizeof(text)) <= 0) {
        return false;
    }
    /* The name in parentheses may hold anything; fields are counted after the last one. */
    char *at = strrchr(text, ')');
    if (at == NULL) {
        return false;
    }
    uint64_t sum = 0;
    char *rest = NULL;
    unsigned field = 2;
    for (char *word = strtok_r(at + 1, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        uint64_t value;
        field++;
        /* 14, 15: user and system time; 16, 17: the same of children that were waited for. */
        if (field >= 14 && field <= (with_children ? 17u : 15u)) {
            if (!pvf__text_parse_u64(word, UINT64_MAX / 8, &value)) {
                return false;
            }
            sum += value;
        }
    }
    *ret = sum;
    return field >= 17;
}

bool pvf__process_tree_cpu(pid_t root, uint64_t *ret_us)
{
    pid_t pids[PVF__PROCESS_TREE_MAX];
    size_t count = 0;
    uint64_t sum = 0;
    long per_second = sysconf(_SC_CLK_TCK);
    if (per_second <= 0 || !ticks_of(root, true, &sum) || !list_descendants(root, pids, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t ticks;
        if (ticks_of(pids[i], true, &ticks)) {
            sum += ticks;
        }
    }
    *ret_us = sum * 1000000u / (uint64_t)per_second;
    return true;
}
