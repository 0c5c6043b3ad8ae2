/* SPDX-License-Identifier: Apache-2.0 */
/* Folders that hostile code may have filled. */
#include "support/test.h"

#include "base/fd.h"
#include "host/folder.h"
#include "pvf/status.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[PATH_MAX];

static int make_top(void **state)
{
    (void)state;
    return pvf__folder_make("/tmp", "pvf-test-", top, sizeof(top), NULL);
}

static int remove_top(void **state)
{
    (void)state;
    pvf__folder_remove(top);
    return access(top, F_OK) == 0 ? -1 : 0;
}

static size_t entries(const char *path)
{
    DIR *list = opendir(path);
    size_t count = 0;
    assert_non_null(list);
    while (readdir(list) != NULL) {
        count++;
    }
    (void)closedir(list);
    return count - 2;
}

static void names_are_random(void **state)
{
    (void)state;
    char one[11];
    char two[11];
    assert_int_equal(pvf__folder_random_name(one, 10, NULL), 0);
    assert_int_equal(pvf__folder_random_name(two, 10, NULL), 0);
    assert_int_equal(strlen(one), 10);
    assert_string_not_equal(one, two);
    assert_int_equal(strspn(one, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                     10);
}

static void making_says_what_failed(void **state)
{
    (void)state;
    char path[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__folder_make("/nonexistent", "x-", path, sizeof(path), &err), PVF_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent/x-"));
    assert_int_equal(pvf__folder_make(top, "x-", path, 5, &err), PVF_ERR_LIMIT);
}

static void what_is_missing_is_empty(void **state)
{
    (void)state;
    assert_int_equal(pvf__folder_empty("/tmp/pvf-test-nothing-here", NULL), 0);
}

/* A deep tree, wide folders, links to elsewhere, unreadable folders. */
static void everything_goes_but_nothing_else(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char outside[PATH_MAX];
    assert_int_equal(pvf__folder_make("/tmp", "pvf-test-", outside, sizeof(outside), NULL), 0);
    (void)snprintf(path, sizeof(path), "%.*s/kept", PATH_MAX - 8, outside);
    assert_int_equal(pvf__fd_write_file(path, 0600, "x", 1, NULL), 0);

    PVF__CLEANUP_FD int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(here >= 0);
    assert_int_equal(chdir(top), 0);
    assert_int_equal(symlink(outside, "link"), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(mkdir("d", 0700), 0);
        assert_int_equal(chdir("d"), 0);
        if (i % 20 == 0) {
            assert_int_equal(symlink(outside, "link"), 0);
            assert_int_equal(mkdir(".sweep-0", 0500), 0);
            assert_int_equal(pvf__fd_write_file("file", 0, "x", 1, NULL), 0);
        }
    }
    assert_int_equal(chmod(".", 0), 0);
    assert_int_equal(fchdir(here), 0);
    assert_int_equal(entries(top), 3);

    pvf_error err = PVF_ERROR_INIT;
    if (pvf__folder_empty(top, &err) != 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(entries(top), 0);
    assert_int_equal(access(path, F_OK), 0);
    pvf__folder_remove(outside);
}

static void copies_are_new_files(void **state)
{
    (void)state;
    char from[PATH_MAX];
    char to[PATH_MAX];
    struct pvf__buf buf = PVF__BUF_INIT(64);
    (void)snprintf(from, sizeof(from), "%.*s/from", PATH_MAX - 8, top);
    (void)snprintf(to, sizeof(to), "%.*s/to", PATH_MAX - 8, top);
    assert_int_equal(pvf__fd_write_file(from, 0600, "hello", 5, NULL), 0);
    assert_int_equal(pvf__folder_copy_file(from, to, NULL), 0);
    assert_int_equal(pvf__fd_read_file(to, &buf, NULL), 0);
    assert_int_equal(buf.len, 5);
    assert_memory_equal(buf.data, "hello", 5);
    pvf__buf_done(&buf);
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__folder_copy_file(from, to, &err), PVF_ERR_IO);
    assert_int_equal(pvf__folder_copy_file("/nonexistent", to, &err), PVF_ERR_IO);
    /* Nobody ever writes to this one. */
    assert_int_equal(unlink(to), 0);
    assert_int_equal(unlink(from), 0);
    assert_int_equal(mkfifo(from, 0600), 0);
    assert_int_equal(pvf__folder_copy_file(from, to, &err), PVF_ERR_IO);
    assert_non_null(strstr(err.text, "is no plain file"));
    assert_int_not_equal(access(to, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_random),
        cmocka_unit_test(making_says_what_failed),
        cmocka_unit_test(what_is_missing_is_empty),
        cmocka_unit_test(everything_goes_but_nothing_else),
        cmocka_unit_test(copies_are_new_files),
    };
    return cmocka_run_group_tests(tests, make_top, remove_top);
}
