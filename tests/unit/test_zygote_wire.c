/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket between a worker and a zygote: orders and their descriptors, hellos and who said them,
 * and messages that are neither.  Nothing leaves a descriptor behind.
 */
#include "support/test.h"

#include "base/fd.h"
#include "execute/zygote_wire.h"
#include "pvf/status.h"
#include "support/open_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than fit into any message here. */
#define MANY 8

/* Exit codes of children; no assertion runs in them. */
enum child {
    DONE = 0,
    REFUSED, /* for another reason than it should be */
    ACCEPTED,
    CANNOT, /* this machine or this user cannot do what the case is about */
    BROKEN,
};

/* What messages carry that are no orders. */
static int nothing;

struct wire {
    int ours;
    int theirs;
    size_t descriptors; /* before it */
};

static struct wire open_wire(void)
{
    struct wire wire = {.descriptors = open_files()};
    int ends[2];
    assert_int_equal(pvf__zygote_wire_open(ends, NULL), 0);
    wire.ours = ends[0];
    wire.theirs = ends[1];
    return wire;
}

static void close_wire(struct wire *wire)
{
    (void)close(wire->ours);
    (void)close(wire->theirs);
    assert_int_equal(open_files(), wire->descriptors);
}

/* Three files that can be told apart. */
static void open_order(int fds[PVF__ZYGOTE_ORDER])
{
    for (int i = 0; i < PVF__ZYGOTE_ORDER; i++) {
        fds[i] = memfd_create("order", MFD_CLOEXEC);
        assert_true(fds[i] >= 0);
        assert_int_equal(ftruncate(fds[i], 10 + i), 0);
    }
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
}

/* Any message: `len` zero bytes, with descriptors, with a sender. */
static int send_any(int end, size_t len, int fds, const struct ucred *sender)
{
    char bytes[MANY] = {0};
    struct iovec data = {.iov_base = bytes, .iov_len = len};
    int files[MANY];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(files)) + CMSG_SPACE(sizeof(*sender))];
    } control = {0};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control};
    size_t used = 0;
    for (size_t i = 0; i < MANY; i++) {
        files[i] = nothing;
    }
    if (fds > 0) {
        size_t size = sizeof(int) * (size_t)fds;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(&control.header), files, size);
        used = CMSG_SPACE(size);
    } else if (sender != NULL) {
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_CREDENTIALS;
        control.header.cmsg_len = CMSG_LEN(sizeof(*sender));
        memcpy(CMSG_DATA(&control.header), sender, sizeof(*sender));
        used = CMSG_SPACE(sizeof(*sender));
    }
    message.msg_controllen = used;
    message.msg_control = used > 0 ? &control : NULL;
    return sendmsg(end, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len ? 0 : -errno;
}

static void an_order_brings_its_descriptors(void **state)
{
    (void)state;
    struct wire wire = open_wire();
    int sent[PVF__ZYGOTE_ORDER];
    int got[PVF__ZYGOTE_ORDER];
    open_order(sent);
    assert_int_equal(pvf__zygote_wire_order(wire.ours, sent, NULL), 0);
    close_all(sent, PVF__ZYGOTE_ORDER);
    assert_true(pvf__zygote_wire_take(wire.theirs, got));
    for (int i = 0; i < PVF__ZYGOTE_ORDER; i++) {
        struct stat info;
        assert_int_equal(fstat(got[i], &info), 0);
        assert_int_equal(info.st_size, 10 + i);
        assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
    }
    close_all(got, PVF__ZYGOTE_ORDER);
    close_wire(&wire);
}

static void what_is_no_order_is_not_taken(void **state)
{
    (void)state;
    const struct {
        size_t len;
        int fds;
    } rows[] = {{1, 0}, {1, 1}, {1, 2}, {1, 4}, {1, MANY}, {2, PVF__ZYGOTE_ORDER}, {2, 0}, {0, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wire wire = open_wire();
        int got[PVF__ZYGOTE_ORDER] = {-1, -1, -1};
        assert_int_equal(send_any(wire.ours, rows[i].len, rows[i].fds, NULL), 0);
        assert_false(pvf__zygote_wire_take(wire.theirs, got));
        for (size_t k = 0; k < PVF__ZYGOTE_ORDER; k++) {
            assert_int_equal(got[k], -1);
        }
        close_wire(&wire);
    }
}

static void the_worker_s_end_ends_a_zygote_s_wait(void **state)
{
    (void)state;
    struct wire wire = open_wire();
    int got[PVF__ZYGOTE_ORDER];
    (void)close(wire.ours);
    assert_false(pvf__zygote_wire_take(wire.theirs, got));
    assert_int_equal(pvf__zygote_wire_hello(wire.theirs, NULL), PVF_ERR_EOF);
    (void)close(wire.theirs);
    assert_int_equal(open_files(), wire.descriptors);
}

/* A worker waits for no zygote: orders that nobody takes come to an end, and can be thrown away. */
static void orders_never_wait(void **state)
{
    (void)state;
    struct wire wire = open_wire();
    int fds[PVF__ZYGOTE_ORDER];
    int ends[2];
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (int i = 0; i < PVF__ZYGOTE_ORDER; i++) {
        fds[i] = ends[1];
    }
    unsigned count = 0;
    pvf_error err = PVF_ERROR_INIT;
    while (pvf__zygote_wire_order(wire.ours, fds, &err) == 0) {
        count++;
    }
    assert_true(count > 0);
    assert_int_equal(err.code, PVF_ERR_IO);
    (void)close(ends[1]);
    pvf__zygote_wire_drain(wire.theirs);
    /* The last copies of the write end were in the orders. */
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
    assert_true(pvf__zygote_wire_is_quiet(wire.theirs));
    open_order(fds);
    assert_int_equal(pvf__zygote_wire_order(wire.ours, fds, NULL), 0);
    close_all(fds, PVF__ZYGOTE_ORDER);
    assert_true(pvf__zygote_wire_take(wire.theirs, fds));
    close_all(fds, PVF__ZYGOTE_ORDER);
    close_wire(&wire);
}

static int exit_code_of(pid_t pid)
{
    int status;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_hello_is_that_of_its_sender(void **state)
{
    (void)state;
    struct wire wire = open_wire();
    pid_t heard = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(pvf__zygote_wire_hello(wire.theirs, NULL) == 0 ? DONE : BROKEN);
    }
    assert_int_equal(exit_code_of(pid), DONE);
    assert_int_equal(pvf__zygote_wire_hear(wire.ours, &heard, NULL), 0);
    assert_int_equal(heard, pid);
    assert_true(pvf__zygote_wire_is_quiet(wire.ours));
    close_wire(&wire);
}

static void what_is_no_hello_is_not_heard(void **state)
{
    (void)state;
    const struct {
        size_t len;
        int fds;
    } rows[] = {{0, 0}, {2, 0}, {MANY, 0}, {1, 1}, {1, PVF__ZYGOTE_ORDER}, {2, 1}};
    struct wire wire = open_wire();
    pid_t heard = -5;
    assert_int_equal(pvf__zygote_wire_hear(wire.ours, &heard, NULL), PVF_ERR_IO);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t before = open_files();
        assert_int_equal(send_any(wire.theirs, rows[i].len, rows[i].fds, NULL), 0);
        assert_int_equal(pvf__zygote_wire_hear(wire.ours, &heard, NULL), PVF_ERR_PEER);
        assert_int_equal(open_files(), before);
    }
    assert_int_equal(heard, -5);
    assert_int_equal(send_any(wire.theirs, 1, MANY, NULL), 0);
    assert_false(pvf__zygote_wire_is_quiet(wire.ours));
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(send_any(wire.theirs, 1, MANY, NULL), 0);
    }
    pvf__zygote_wire_drain(wire.ours);
    assert_true(pvf__zygote_wire_is_quiet(wire.ours));
    close_wire(&wire);
}

/* A byte that says it comes from somebody else. */
static int forge(int end)
{
    const struct ucred other = {.pid = getppid(), .uid = getuid(), .gid = getgid()};
    return send_any(end, 1, 0, &other);
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return (int)syscall(SYS_capset, &header, none);
}

static int without_rights(int end)
{
    if (drop_capabilities() != 0) {
        return BROKEN;
    }
    int done = forge(end);
    return done == 0 ? ACCEPTED : done == -EPERM ? DONE : REFUSED;
}

/* As behind a changed root: every right in a namespace where nobody has a name. */
static int without_a_name(int end)
{
    if (unshare(CLONE_NEWUSER) != 0) {
        return CANNOT;
    }
    int done = forge(end);
    if (done != -EINVAL) {
        return done == 0 ? ACCEPTED : REFUSED;
    }
    return pvf__zygote_wire_hello(end, NULL) == 0 ? DONE : BROKEN;
}

/* The same in a process namespace, where a zygote's numbers are others than its worker's. */
static int without_a_name_and_inside(int end)
{
    int status;
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
        return CANNOT;
    }
    pid_t pid = fork();
    if (pid == 0) {
        const struct ucred worker = {.pid = 1, .uid = getuid(), .gid = getgid()};
        int done = send_any(end, 1, 0, &worker);
        _exit(done == -EINVAL ? DONE : done == 0 ? ACCEPTED : REFUSED);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                           : BROKEN;
}

static int with_all_rights(int end)
{
    return forge(end) == 0 ? DONE : REFUSED;
}

static int run(int (*what)(int end), int end, pid_t *ret_pid)
{
    *ret_pid = fork();
    if (*ret_pid == 0) {
        _exit(what(end));
    }
    return exit_code_of(*ret_pid);
}

static void nobody_names_somebody_else(void **state)
{
    (void)state;
    struct wire wire = open_wire();
    pid_t heard = 0;
    pid_t pid;
    assert_int_equal(run(without_rights, wire.theirs, &pid), DONE);
    assert_true(pvf__zygote_wire_is_quiet(wire.ours));
    int code = run(without_a_name, wire.theirs, &pid);
    if (code != CANNOT) {
        assert_int_equal(code, DONE);
        assert_int_equal(pvf__zygote_wire_hear(wire.ours, &heard, NULL), 0);
        assert_int_equal(heard, pid);
        assert_int_equal(run(without_a_name_and_inside, wire.theirs, &pid), DONE);
    } else {
        print_message("no user namespaces here: not seen from inside one\n");
    }
    assert_true(pvf__zygote_wire_is_quiet(wire.ours));
    /* And what they are kept from does work. */
    if (run(with_all_rights, wire.theirs, &pid) == DONE) {
        assert_int_equal(pvf__zygote_wire_hear(wire.ours, &heard, NULL), 0);
        assert_int_equal(heard, getpid());
    } else {
        assert_int_not_equal(geteuid(), 0);
    }
    close_wire(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_brings_its_descriptors),
        cmocka_unit_test(what_is_no_order_is_not_taken),
        cmocka_unit_test(the_worker_s_end_ends_a_zygote_s_wait),
        cmocka_unit_test(orders_never_wait),
        cmocka_unit_test(a_hello_is_that_of_its_sender),
        cmocka_unit_test(what_is_no_hello_is_not_heard),
        cmocka_unit_test(nobody_names_somebody_else),
    };
    nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return nothing < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
