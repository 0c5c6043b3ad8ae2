/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages for an artifact: nothing of it changes, and nothing is left behind. */
#include "support/test.h"

#include "base/cleanup.h"
#include "engine/engine_pages.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t byte_at(size_t at)
{
    return (uint8_t)(at * 31 + at / 4096);
}

/* Sealed memory, as an artifact is. */
static int make_file(size_t len)
{
    uint8_t block[4096];
    int fd = memfd_create("artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    for (size_t done = 0; done < len; done += sizeof(block)) {
        size_t part = len - done < sizeof(block) ? len - done : sizeof(block);
        for (size_t i = 0; i < part; i++) {
            block[i] = byte_at(done + i);
        }
        assert_int_equal(write(fd, block, part), part);
    }
    assert_int_equal(
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    return fd;
}

static void check_bytes(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != byte_at(i)) {
            fail_msg("byte %zu is %u, not %u", i, data[i], byte_at(i));
        }
    }
}

static size_t count_mappings(void)
{
    char line[512];
    size_t count = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        count++;
    }
    (void)fclose(file);
    return count;
}

/* Lengths with and without a rest, in pages and in huge pages. */
static const size_t lengths[] = {
    PVF__ENGINE_HUGE_PAGE, 3 * PVF__ENGINE_HUGE_PAGE, 5000000, 4 * PVF__ENGINE_HUGE_PAGE + 4095};

static void a_mapping_begins_at_a_border(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        PVF__CLEANUP_FD int fd = make_file(lengths[i]);
        struct pvf__engine_fillers fillers;
        pvf__engine_pages_place(fd, &fillers);
        uint8_t *data = mmap(NULL, lengths[i], PROT_READ, MAP_PRIVATE, fd, 0);
        pvf__engine_pages_placed(&fillers);
        assert_ptr_not_equal(data, MAP_FAILED);
        assert_int_equal((uintptr_t)data % PVF__ENGINE_HUGE_PAGE, 0);
        check_bytes(data, lengths[i]);
        assert_int_equal(munmap(data, lengths[i]), 0);
    }
}

static void nothing_changes_and_nothing_stays(void **state)
{
    (void)state;
    size_t before = count_mappings();
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        PVF__CLEANUP_FD int fd = make_file(lengths[i]);
        uint8_t *data = mmap(NULL, lengths[i], PROT_READ, MAP_PRIVATE, fd, 0);
        assert_ptr_not_equal(data, MAP_FAILED);
        check_bytes(data, lengths[i]);
        struct pvf__engine_pages pages;
        pvf__engine_pages_open(fd, &pages);
        size_t steps = 0;
        while (pvf__engine_pages_step(&pages)) {
            steps++;
            check_bytes(data, lengths[i]);
        }
        /* All of them, or none on a kernel that makes none. */
        assert_true(steps == 0 || steps == lengths[i] / PVF__ENGINE_HUGE_PAGE);
        assert_int_equal(pages.done, steps * PVF__ENGINE_HUGE_PAGE);
        assert_false(pvf__engine_pages_step(&pages));
        check_bytes(data, lengths[i]);
        assert_int_equal(munmap(data, lengths[i]), 0);
    }
    assert_int_equal(count_mappings(), before);
}

static void what_is_small_or_no_file_is_left_alone(void **state)
{
    (void)state;
    PVF__CLEANUP_FD int small = make_file(PVF__ENGINE_HUGE_PAGE - 1);
    const int fds[] = {small, -1};
    for (size_t i = 0; i < 2; i++) {
        struct pvf__engine_pages pages;
        struct pvf__engine_fillers fillers;
        pvf__engine_pages_open(fds[i], &pages);
        assert_null(pages.view);
        assert_false(pvf__engine_pages_step(&pages));
        pvf__engine_pages_place(fds[i], &fillers);
        assert_int_equal(fillers.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_begins_at_a_border),
        cmocka_unit_test(nothing_changes_and_nothing_stays),
        cmocka_unit_test(what_is_small_or_no_file_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
