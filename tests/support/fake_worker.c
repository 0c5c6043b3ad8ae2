/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that behaves as its file name says, for tests of the host: "anything.MODE".  What it
 * answers is in the file "anything.MODE.answer" (raw bytes), what it puts into the artifact in
 * "anything.MODE.artifact".
 */
#include "base/buf.h"
#include "base/fd.h"
#include "proto/frame.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX ((size_t)64 << 20)

static const char *self;
static const char *mode;
static const char *worker_dir;

static bool mode_is(const char *name)
{
    return strcmp(mode, name) == 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        _exit(50);
    }
    return fd;
}

/* The content of a file beside the program; empty when there is none. */
static struct pvf__buf beside(const char *suffix)
{
    char path[4096];
    struct pvf__buf buf = PVF__BUF_INIT(MAX);
    (void)snprintf(path, sizeof(path), "%s.%s", self, suffix);
    if (pvf__fd_read_file(path, &buf, NULL) != 0) {
        buf.len = 0;
    }
    return buf;
}

static void write_artifact(void)
{
    char path[4096];
    struct pvf__buf artifact = beside("artifact");
    if (artifact.len > 0) {
        (void)snprintf(path, sizeof(path), "%s/tmp-artifact", worker_dir);
        if (pvf__fd_write_file(path, 0600, artifact.data, artifact.len, NULL) != 0) {
            _exit(51);
        }
    }
    pvf__buf_done(&artifact);
}

/* A tree that is deeper than any stack of an honest emptier, with odd modes and links. */
static void litter(void)
{
    if (chdir(worker_dir) != 0 || symlink("/", "link") != 0) {
        _exit(52);
    }
    for (int i = 0; i < 300; i++) {
        if (mkdir("d", 0700) != 0 || chdir("d") != 0) {
            _exit(53);
        }
        if (i % 50 == 0) {
            int fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0);
            if (fd < 0 || close(fd) != 0) {
                _exit(54);
            }
        }
    }
    (void)chmod(".", 0);
}

static void chatter(void)
{
    static const char noise[65536];
    for (int i = 0; i < 16; i++) {
        if (pvf__fd_write(STDOUT_FILENO, noise, sizeof(noise), NULL) != 0) {
            _exit(55);
        }
    }
}

__attribute__((noreturn)) static void spin(void)
{
    for (volatile unsigned i = 0;; i++) {
    }
}

/* Everything that may happen between a request and its answer. */
static void answer(int fd)
{
    if (mode_is("die")) {
        _exit(1);
    }
    if (mode_is("killed")) {
        (void)raise(SIGKILL);
    }
    if (mode_is("hang")) {
        (void)sleep(1000);
    }
    if (mode_is("spin")) {
        spin();
    }
    if (mode_is("jobspin")) {
        /* As a job would: another process burns the time. */
        if (fork() == 0) {
            (void)close(fd);
            spin();
        }
        (void)sleep(1000);
    }
    if (mode_is("litter")) {
        litter();
    }
    if (mode_is("chatter")) {
        chatter();
    }
    write_artifact();
    struct pvf__buf bytes = beside("answer");
    if (pvf__fd_write(fd, bytes.data, bytes.len, NULL) != 0) {
        _exit(1);
    }
    pvf__buf_done(&bytes);
    if (mode_is("once") || mode_is("cut")) {
        _exit(1);
    }
}

static int serve(const char *socket_path, bool is_execute)
{
    struct pvf__buf frame = PVF__BUF_INIT(MAX);
    if (mode_is("exit")) {
        return 3;
    }
    if (mode_is("abort")) {
        (void)raise(SIGABRT);
    }
    if (mode_is("silent")) {
        (void)sleep(1000);
    }
    if (mode_is("stranger")) {
        pid_t other = fork();
        if (other == 0) {
            int fd = connect_to(socket_path);
            char byte;
            /* The host hangs up on a stranger without a word. */
            _exit(read(fd, &byte, 1) == 0 ? 0 : 1);
        }
        int status = 1;
        if (waitpid(other, &status, 0) != other || status != 0) {
            return 56;
        }
    }
    int fd = connect_to(socket_path);
    (void)unlink(socket_path);
    for (int i = 0; i < (is_execute ? 2 : 1); i++) {
        if (pvf__frame_recv(fd, MAX, UINT64_MAX, &frame, NULL) != 0) {
            return 1;
        }
    }
    while (pvf__frame_recv(fd, MAX, UINT64_MAX, &frame, NULL) == 0) {
        answer(fd);
    }
    return 1;
}

/* "inspect": says how much came, or what its mode makes of it. */
static int inspect(void)
{
    static char part[65536];
    size_t sum = 0;
    ssize_t got;
    while ((got = read(STDIN_FILENO, part, sizeof(part))) > 0) {
        sum += (size_t)got;
    }
    if (mode_is("no")) {
        (void)fprintf(stderr, "cannot look at it\n");
        return 1;
    }
    if (mode_is("garbage")) {
        (void)printf("not json\n");
        return 0;
    }
    (void)printf("{\"bytes\": %zu}\n", sum);
    return 0;
}

int main(int argc, char **argv)
{
    const char *socket_path = NULL;
    self = argv[0];
    mode = strrchr(argv[0], '.');
    mode = mode != NULL ? mode + 1 : "";
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("1.2.3\n");
        return mode_is("no") ? 101 : 0;
    }
    if (argc >= 2 && strncmp(argv[1], "--check-", 8) == 0) {
        bool fails = mode_is("no") || (mode_is("noroot") && strstr(argv[1], "root") != NULL);
        if (fails) {
            (void)fprintf(stderr, "the fake says no\nand more\n");
        }
        return fails ? 255 : 0;
    }
    if (argc >= 2 && strcmp(argv[1], "inspect") == 0) {
        return inspect();
    }
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--socket-path") == 0) {
            socket_path = argv[i + 1];
        } else if (strcmp(argv[i], "--worker-dir-path") == 0) {
            worker_dir = argv[i + 1];
        }
    }
    if (socket_path == NULL || worker_dir == NULL) {
        return 101;
    }
    return serve(socket_path, strcmp(argv[1], "execute-worker") == 0);
}
