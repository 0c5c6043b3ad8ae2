/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the pages in which an artifact lies in memory, and the address at which it is mapped.  The
 * kernel maps a huge page of a file as one only where address and offset agree up to its size.
 */
#include "engine/engine_pages.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* MADV_COLLAPSE (Linux 6.1), newer than the oldest headers that this is compiled with. */
#define COLLAPSE 25

/* 0: no file, or none that could have a huge page. */
static size_t length_of(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || info.st_size < (off_t)PVF__ENGINE_HUGE_PAGE) {
        return 0;
    }
    return (size_t)info.st_size;
}

static size_t beyond_border(const void *at)
{
    return (uintptr_t)at % PVF__ENGINE_HUGE_PAGE;
}

static uint8_t *fill(void *at, size_t len)
{
    return mmap(at, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/*
 * Asks the kernel where it would put a mapping of this file, which is the upper end of a gap, and
 * shortens the gap there by as much as that is beyond a border; until it is at one.
 */
void pvf__engine_pages_place(int fd, struct pvf__engine_fillers *fillers)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t len = length_of(fd);
    fillers->count = 0;
    len += (page - len % page) % page;
    while (len > 0 && fillers->count < sizeof(fillers->each) / sizeof(fillers->each[0])) {
        uint8_t *at = mmap(NULL, len, PROT_NONE, MAP_PRIVATE, fd, 0);
        if (at == MAP_FAILED) {
            return;
        }
        size_t excess = beyond_border(at);
        (void)munmap(at, len);
        if (excess == 0) {
            return;
        }
        uint8_t *filler = fill(at + len - excess, excess);
        if (filler == MAP_FAILED) {
            return;
        }
        fillers->each[fillers->count].at = filler;
        fillers->each[fillers->count].len = excess;
        fillers->count++;
    }
}

void pvf__engine_pages_placed(struct pvf__engine_fillers *fillers)
{
    for (size_t i = 0; i < fillers->count; i++) {
        (void)munmap(fillers->each[i].at, fillers->each[i].len);
    }
    fillers->count = 0;
}

void pvf__engine_pages_open(int fd, struct pvf__engine_pages *ret)
{
    struct pvf__engine_fillers fillers;
    *ret = (struct pvf__engine_pages){.len = length_of(fd)};
    if (ret->len == 0) {
        return;
    }
    pvf__engine_pages_place(fd, &fillers);
    uint8_t *view = mmap(NULL, ret->len, PROT_READ, MAP_PRIVATE, fd, 0);
    pvf__engine_pages_placed(&fillers);
    if (view != MAP_FAILED && beyond_border(view) != 0) {
        (void)munmap(view, ret->len);
        view = MAP_FAILED;
    }
    ret->view = view == MAP_FAILED ? NULL : view;
}

bool pvf__engine_pages_step(struct pvf__engine_pages *pages)
{
    if (pages->view == NULL) {
        return false;
    }
    if (pages->len - pages->done >= PVF__ENGINE_HUGE_PAGE &&
        madvise(pages->view + pages->done, PVF__ENGINE_HUGE_PAGE, COLLAPSE) == 0) {
        pages->done += PVF__ENGINE_HUGE_PAGE;
        return true;
    }
    (void)munmap(pages->view, pages->len);
    pages->view = NULL;
    return false;
}
