/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed memory, and descriptors through sockets: what is made, and everything that is refused. */
#include "support/test.h"

#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/sealed.h"
#include "pvf/status.h"
#include "support/open_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALL (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static int memory(const char *text, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(pvf__fd_write(fd, text, strlen(text), NULL), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void parts_are_put_together(void **state)
{
    (void)state;
    const struct pvf__slice parts[] = {
        pvf__slice_text("front"), {NULL, 0}, pvf__slice_text("back")};
    struct pvf__slice mapped;
    int fd = -1;
    assert_int_equal(pvf__sealed_make("test", parts, 3, &fd, NULL), 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pvf__sealed_map(fd, 9, &mapped, NULL), 0);
    assert_int_equal(mapped.len, 9);
    assert_memory_equal(mapped.data, "frontback", 9);
    /* The mapping needs the descriptor no more. */
    (void)close(fd);
    assert_memory_equal(mapped.data, "frontback", 9);
    pvf__sealed_unmap(&mapped);
    assert_int_equal(mapped.len, 0);
    pvf__sealed_unmap(&mapped);
}

static void nothing_has_a_length_too(void **state)
{
    (void)state;
    struct pvf__slice mapped = pvf__slice_text("old");
    int fd = -1;
    assert_int_equal(pvf__sealed_make("test", NULL, 0, &fd, NULL), 0);
    assert_int_equal(pvf__sealed_map(fd, 1, &mapped, NULL), PVF_ERR_PEER);
    assert_int_equal(mapped.len, 3);
    assert_int_equal(pvf__sealed_map(fd, 0, &mapped, NULL), 0);
    assert_int_equal(mapped.len, 0);
    pvf__sealed_unmap(&mapped);
    (void)close(fd);
}

static void nobody_can_change_it(void **state)
{
    (void)state;
    const struct pvf__slice part = pvf__slice_text("fixed");
    int fd = -1;
    assert_int_equal(pvf__sealed_make("test", &part, 1, &fd, NULL), 0);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 1), -1);
    assert_int_equal(ftruncate(fd, 100), -1);
    assert_ptr_equal(mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), -1);
    (void)close(fd);
}

static void every_seal_is_needed(void **state)
{
    (void)state;
    const int sets[] = {0, ALL & ~F_SEAL_WRITE, ALL & ~F_SEAL_SHRINK, ALL & ~F_SEAL_GROW};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct pvf__slice mapped = {NULL, 0};
        int fd = memory("four", sets[i]);
        pvf_error err = PVF_ERROR_INIT;
        assert_int_equal(pvf__sealed_map(fd, 4, &mapped, &err), PVF_ERR_PEER);
        assert_string_equal(err.text, "memory that is not sealed");
        (void)close(fd);
    }
    struct pvf__slice mapped;
    int fd = memory("four", ALL);
    assert_int_equal(pvf__sealed_map(fd, 4, &mapped, NULL), 0);
    pvf__sealed_unmap(&mapped);
    (void)close(fd);
}

static void every_length_but_its_own_is_refused(void **state)
{
    (void)state;
    const uint64_t lengths[] = {0, 3, 5, 4096, UINT64_C(1) << 40, UINT64_MAX};
    int fd = memory("four", ALL);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct pvf__slice mapped;
        assert_int_equal(pvf__sealed_map(fd, lengths[i], &mapped, NULL), PVF_ERR_PEER);
    }
    (void)close(fd);
}

static void what_is_no_memory_is_refused(void **state)
{
    (void)state;
    struct pvf__slice mapped;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pvf__sealed_map(ends[0], 0, &mapped, NULL), PVF_ERR_PEER);
    (void)close(ends[0]);
    (void)close(ends[1]);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(pvf__sealed_map(fd, 0, &mapped, NULL), PVF_ERR_PEER);
    (void)close(fd);
    /* Without a right to read there is nothing to seal it by. */
    int sealed = memory("four", ALL);
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", sealed);
    fd = open(path, O_PATH | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pvf__sealed_map(fd, 4, &mapped, NULL), PVF_ERR_PEER);
    (void)close(fd);
    (void)close(sealed);
    assert_int_equal(pvf__sealed_map(-1, 4, &mapped, NULL), PVF_ERR_PEER);
}

static void descriptors_arrive(void **state)
{
    (void)state;
    int ends[2];
    size_t before = open_files();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    for (size_t count = 0; count <= PVF__FD_PASS_MAX; count++) {
        int sent[PVF__FD_PASS_MAX];
        int came[PVF__FD_PASS_MAX];
        size_t came_count = 99;
        size_t len = 0;
        char bytes[8];
        for (size_t i = 0; i < count; i++) {
            sent[i] = memory("x", 0);
        }
        assert_int_equal(pvf__fd_pass_send(ends[0], "bytes", 5, sent, count), 5);
        assert_int_equal(
            pvf__fd_pass_take(
                ends[1], bytes, sizeof(bytes), PVF__FD_PASS_MAX, &len, came, &came_count, NULL),
            0);
        assert_int_equal(len, 5);
        assert_memory_equal(bytes, "bytes", 5);
        assert_int_equal(came_count, count);
        for (size_t i = 0; i < count; i++) {
            struct stat ours;
            struct stat theirs;
            assert_int_equal(fstat(sent[i], &ours), 0);
            assert_int_equal(fstat(came[i], &theirs), 0);
            assert_true(ours.st_ino == theirs.st_ino);
            assert_int_equal(fcntl(came[i], F_GETFD), FD_CLOEXEC);
            (void)close(sent[i]);
            (void)close(came[i]);
        }
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_int_equal(open_files(), before);
}

/* More of them than are wanted, more than there is room for, and none of them is kept. */
static void too_many_are_closed(void **state)
{
    (void)state;
    enum {
        MOST = 8
    };
    int ends[2];
    size_t before = open_files();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    for (size_t count = 1; count <= MOST; count++) {
        char byte = 0;
        struct iovec part = {.iov_base = &byte, .iov_len = 1};
        union {
            struct cmsghdr header;
            char room[CMSG_SPACE(sizeof(int) * MOST)];
        } control = {0};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        for (size_t i = 0; i < count; i++) {
            memcpy(CMSG_DATA(header) + i * sizeof(int), &ends[0], sizeof(int));
        }
        assert_int_equal(sendmsg(ends[0], &message, 0), 1);
        int came[PVF__FD_PASS_MAX];
        size_t came_count = 0;
        size_t len;
        size_t max = count <= PVF__FD_PASS_MAX ? count - 1 : PVF__FD_PASS_MAX;
        assert_int_equal(pvf__fd_pass_take(ends[1], &byte, 1, max, &len, came, &came_count, NULL),
                         PVF_ERR_PEER);
        assert_int_equal(came_count, 0);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_int_equal(open_files(), before);
}

static void other_messages_are_refused(void **state)
{
    (void)state;
    int ends[2];
    int on = 1;
    char byte;
    size_t len;
    int came[PVF__FD_PASS_MAX];
    size_t count;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    /* Then the kernel says who sent it. */
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    assert_int_equal(pvf__fd_pass_send(ends[0], "b", 1, NULL, 0), 1);
    assert_int_equal(pvf__fd_pass_take(ends[1], &byte, 1, 2, &len, came, &count, NULL),
                     PVF_ERR_PEER);
    (void)close(ends[0]);
    assert_int_equal(pvf__fd_pass_take(ends[1], &byte, 1, 2, &len, came, &count, NULL),
                     PVF_ERR_EOF);
    (void)close(ends[1]);
    assert_int_equal(pvf__fd_pass_send(-1, "b", 1, came, PVF__FD_PASS_MAX + 1), -1);
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_put_together),
        cmocka_unit_test(nothing_has_a_length_too),
        cmocka_unit_test(nobody_can_change_it),
        cmocka_unit_test(every_seal_is_needed),
        cmocka_unit_test(every_length_but_its_own_is_refused),
        cmocka_unit_test(what_is_no_memory_is_refused),
        cmocka_unit_test(descriptors_arrive),
        cmocka_unit_test(too_many_are_closed),
        cmocka_unit_test(other_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
