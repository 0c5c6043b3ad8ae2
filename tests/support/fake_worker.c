/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that behaves as its file name says, for tests of the host: "anything.MODE".  What it
 * answers is in the file "anything.MODE.answer" (raw bytes), what it puts into the artifact in
 * "anything.MODE.artifact".  Every mode first checks how it was started.  As "kill-PLACE" or
 * "stop-PLACE" it gets SIGKILL or SIGSTOP there, once: when there is a file "anything.MODE.armed",
 * which it removes.  As "up-MODE" it knows the upgraded wire (fake_upgraded.h).
 */
#include "base/buf.h"
#include "base/fd.h"
#include "proto/frame.h"
#include "pvf/status.h"
#include "support/fake_upgraded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX ((size_t)64 << 20)

/* Where an upgraded host puts the socket. */
#define INHERITED 3

static const char *self;
static const char *mode;
static const char *worker_dir;
static bool knows_upgrade; /* "anything.up-MODE" (fake_upgraded.h) */
static bool upgraded;      /* and was started so */

static bool mode_is(const char *name)
{
    return strcmp(mode, name) == 0;
}

/* A place where the signal of the mode may wait. */
static void reach(const char *place)
{
    char path[4096];
    bool kills = strncmp(mode, "kill-", 5) == 0;
    if ((kills || strncmp(mode, "stop-", 5) == 0) && strcmp(mode + 5, place) == 0) {
        (void)snprintf(path, sizeof(path), "%s.armed", self);
        if (unlink(path) == 0) {
            (void)raise(kills ? SIGKILL : SIGSTOP);
        }
    }
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    /* Deaf: the first byte that the host sends fails, whoever is faster. */
    if (fd < 0 || (mode_is("deaf") && shutdown(fd, SHUT_RD) != 0) ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
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

static void write_artifact(const char *from, const char *to)
{
    char path[4096];
    struct pvf__buf artifact = beside(from);
    if (artifact.len > 0) {
        (void)snprintf(path, sizeof(path), "%s/%s", worker_dir, to);
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

/* More than a host is willing to remove for one job. */
static void flood(void)
{
    for (int i = 0; i <= 100000; i++) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%d", worker_dir, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || close(fd) != 0) {
            _exit(58);
        }
    }
}

/* Something else, or nothing, where the artifact should be. */
static void misplace_artifact(void)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/tmp-artifact", worker_dir);
    if ((mode_is("noart") || mode_is("linkart")) && unlink(path) != 0) {
        _exit(59);
    }
    if (mode_is("linkart") && symlink("/dev/null", path) != 0) {
        _exit(59);
    }
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

/* Until the test lets one more through. */
static void await_gate(void)
{
    char path[4096];
    char byte;
    (void)snprintf(path, sizeof(path), "%s.gate", self);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || pvf__fd_read(fd, &byte, 1, NULL) != 0 || close(fd) != 0) {
        _exit(66);
    }
}

__attribute__((noreturn)) static void spin(void)
{
    for (volatile unsigned i = 0;; i++) {
    }
}

static bool holds(const struct pvf__buf *frame, const char *text)
{
    return memmem(frame->data, frame->len, text, strlen(text)) != NULL;
}

/*
 * As a worker that dies while it starts a process: that has the worker's descriptors until a moment
 * after the death, or for as long as the host keeps the connection.
 */
static void leave_a_holder(int fd, bool until_hang_up)
{
    char byte;
    int alive[2];
    pid_t holder = pipe2(alive, O_CLOEXEC) == 0 ? fork() : -1;
    if (holder < 0) {
        _exit(67);
    }
    if (holder > 0) {
        return;
    }
    (void)close(alive[1]);
    (void)!read(alive[0], &byte, 1);
    if (until_hang_up) {
        struct pollfd item = {.fd = fd, .events = POLLRDHUP};
        (void)poll(&item, 1, -1);
    } else {
        const struct timespec moment = {.tv_nsec = 5000000};
        (void)nanosleep(&moment, NULL);
    }
    _exit(0);
}

/* As a job that was taken over might: the artifact is a file that others use too. */
static void damage_artifact(void)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/artifact", worker_dir);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0) {
        _exit(57);
    }
}

/*
 * Mortal: dies of a PoV with "die!" (with "clutch!", too, another process keeps the connection),
 * damages the artifact and dies of one with "damage!", answers the known-good job from its file,
 * and all others from "anything.MODE.other".
 */
static const char *mortal_answer(int fd, const struct pvf__buf *frame)
{
    if (holds(frame, "clutch!")) {
        leave_a_holder(fd, true);
    }
    if (holds(frame, "damage!")) {
        damage_artifact();
    }
    if (holds(frame, "die!") || holds(frame, "damage!")) {
        /* A sanitizer would make an exit of it. */
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
    }
    return holds(frame, "known") ? "answer" : "other";
}

/*
 * Tiered: a compilation is answered from "anything.MODE.first", with
 * "anything.MODE.first-artifact", and once more when the test lets it through; all else, too, waits
 * for that.
 */
static void answer_first(int fd, const struct pvf__buf *request)
{
    if (request->len > 0 && request->data[request->len - 1] == 0) {
        write_artifact("first-artifact", "first-tier");
        struct pvf__buf bytes = beside("first");
        if (pvf__fd_write(fd, bytes.data, bytes.len, NULL) != 0) {
            _exit(1);
        }
        pvf__buf_done(&bytes);
    }
    await_gate();
}

/* Choosy: what it says of the preparers' usual artifact is in "first"; it dies when there is none.
 */
static const char *choosy_answer(void)
{
    char path[4096];
    struct pvf__buf artifact = PVF__BUF_INIT(MAX);
    (void)snprintf(path, sizeof(path), "%s/artifact", worker_dir);
    if (pvf__fd_read_file(path, &artifact, NULL) != 0) {
        _exit(68);
    }
    bool usual = artifact.len > 0 && artifact.data[0] == 0xde;
    pvf__buf_done(&artifact);
    (void)snprintf(path, sizeof(path), "%s.first", self);
    if (usual && access(path, F_OK) != 0) {
        (void)raise(SIGKILL);
    }
    return usual ? "first" : "answer";
}

/* An answer in three pieces: half of the header, up to half of the body, the rest. */
static void write_slowly(int fd, const struct pvf__buf *bytes)
{
    static const char *const places[] = {"header", "body", "answered"};
    const size_t header = PVF__FRAME_HEADER;
    const size_t ends[] = {header / 2, header + (bytes->len - header) / 2, bytes->len};
    size_t done = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t end = bytes->len > header ? ends[i] : bytes->len;
        if (pvf__fd_write(fd, bytes->data + done, end - done, NULL) != 0) {
            _exit(1);
        }
        done = end;
        reach(places[i]);
    }
}

/* Everything that may happen between a request and its answer. */
static void answer(int fd, const struct pvf__buf *request)
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
    if (mode_is("gate")) {
        await_gate();
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
    if (mode_is("flood")) {
        flood();
    }
    if (mode_is("tiered")) {
        answer_first(fd, request);
    }
    write_artifact("artifact", "tmp-artifact");
    misplace_artifact();
    const char *which = mode_is("mortal")   ? mortal_answer(fd, request)
                        : mode_is("choosy") ? choosy_answer()
                                            : "answer";
    struct pvf__buf bytes = beside(which);
    if (mode_is("files")) {
        fake_upgraded_send_files(fd, bytes.data, bytes.len);
    } else {
        write_slowly(fd, &bytes);
    }
    pvf__buf_done(&bytes);
    if (mode_is("once") || mode_is("cut")) {
        _exit(1);
    }
}

/* Waits for a whole request and leaves it unread. */
static bool await_request(int fd)
{
    uint8_t header[PVF__FRAME_HEADER];
    uint64_t len = 0;
    int there = 0;
    do {
        if (ioctl(fd, FIONREAD, &there) != 0) {
            return false;
        }
    } while (there < (int)sizeof(header));
    if (recv(fd, header, sizeof(header), MSG_PEEK) != (ssize_t)sizeof(header)) {
        return false;
    }
    memcpy(&len, header, sizeof(len));
    while ((uint64_t)there < sizeof(header) + len) {
        if (ioctl(fd, FIONREAD, &there) != 0) {
            return false;
        }
    }
    return true;
}

/* What a worker is told before its first request. */
static bool be_told(int fd, bool is_execute, struct pvf__buf *frame)
{
    if (upgraded) {
        return fake_upgraded_start(mode, fd, frame);
    }
    for (int i = 0; i < (is_execute ? 2 : 1); i++) {
        if (pvf__frame_recv(fd, MAX, UINT64_MAX, frame, NULL) != 0) {
            return false;
        }
    }
    return true;
}

static bool take_request(int fd, bool is_execute, struct pvf__buf *frame)
{
    return upgraded ? fake_upgraded_take(fd, is_execute, frame)
                    : pvf__frame_recv(fd, MAX, UINT64_MAX, frame, NULL) == 0;
}

static int serve(const char *socket_path, bool is_execute)
{
    struct pvf__buf frame = PVF__BUF_INIT(MAX);
    reach("start");
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
    if (mode_is("block")) {
        /* Where the host wants to put a file. */
        const char *name = is_execute ? "artifact" : "tmp-artifact";
        if (chdir(worker_dir) != 0 || mkdir(name, 0700) != 0) {
            return 52;
        }
    }
    int fd = upgraded ? INHERITED : connect_to(socket_path);
    if (!upgraded) {
        (void)unlink(socket_path);
    }
    reach("connected");
    if (!be_told(fd, is_execute, &frame)) {
        return 1;
    }
    if (mode_is("held")) {
        leave_a_holder(fd, false);
    }
    if (mode_is("shy") || mode_is("held")) {
        return await_request(fd) ? 1 : 52;
    }
    reach("told");
    for (;;) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (poll(&item, 1, -1) == 1 && (item.revents & POLLHUP) == 0) {
            reach("asked");
        }
        if (!take_request(fd, is_execute, &frame)) {
            return 1;
        }
        reach("job");
        answer(fd, &frame);
    }
}

static bool is_name(const char *path, const char *prefix, const char *kind, size_t random)
{
    char start[64];
    const char *slash = strrchr(path, '/');
    (void)snprintf(start, sizeof(start), "%s%s-", prefix, kind);
    return path[0] == '/' && slash != NULL && strncmp(slash + 1, start, strlen(start)) == 0 &&
           strlen(slash + 1) == strlen(start) + random &&
           strspn(slash + 1 + strlen(start),
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == random;
}

/*
 * Was this worker started as the protocol says?  0, or an exit code that tells what is wrong:
 * arguments and their order, names, environment, the socket's mode, descriptors.
 */
static int check_start(int argc, char **argv)
{
    bool versioned = argc > 2 && strcmp(argv[2], "--node-impl-version") == 0;
    int at = versioned ? 4 : 2;
    struct stat info;
    size_t word = strcspn(argv[1], "-");
    char kind[16] = "";
    if (word < sizeof(kind)) {
        memcpy(kind, argv[1], word);
    }
    const char *option = upgraded ? "--inherited-socket" : "--socket-path";
    if ((strcmp(kind, "prepare") != 0 && strcmp(kind, "execute") != 0) || argc < at + 4 ||
        strcmp(argv[at], option) != 0 || strcmp(argv[at + 2], "--worker-dir-path") != 0) {
        return 60;
    }
    bool named =
        upgraded ? strcmp(argv[at + 1], "3") == 0 : is_name(argv[at + 1], "pvf-host-", kind, 10);
    if (!named || !is_name(argv[at + 3], "worker-dir-", kind, 6)) {
        return 61;
    }
    if (environ[0] == NULL || strncmp(environ[0], "RUST_LOG=", 9) != 0 || environ[1] != NULL) {
        return 62;
    }
    int found = upgraded ? fstat(INHERITED, &info) : lstat(argv[at + 1], &info);
    if (found != 0 || !S_ISSOCK(info.st_mode) || (!upgraded && (info.st_mode & 07777) != 0600)) {
        return 63;
    }
    for (int fd = upgraded ? INHERITED + 1 : INHERITED; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            return 64;
        }
    }
    return fstat(STDOUT_FILENO, &info) == 0 && S_ISFIFO(info.st_mode) ? 0 : 65;
}

/* "threads3": a prepare worker is told so many, an execute worker nothing. */
static int check_threads(int argc, char **argv)
{
    bool told =
        strcmp(argv[argc - 2], "--compile-threads") == 0 && strcmp(argv[argc - 1], "3") == 0;
    return told == (strcmp(argv[1], "prepare-worker") == 0) ? 0 : 66;
}

/* "tiered": the same, of its option. */
static int check_tiered(int argc, char **argv)
{
    bool told = strcmp(argv[argc - 2], "--first-tier") == 0 && strcmp(argv[argc - 1], "on") == 0;
    return told == (strcmp(argv[1], "prepare-worker") == 0) ? 0 : 66;
}

/* "inspect": says how much came, or what its mode makes of it. */
static int inspect(int argc, char **argv)
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
    if (mode_is("words")) {
        (void)printf("{\"words\": \"");
        for (int i = 2; i < argc; i++) {
            (void)printf("%s%s", i > 2 ? " " : "", argv[i]);
        }
        (void)printf("\"}\n");
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
    knows_upgrade = strncmp(mode, "up-", 3) == 0;
    mode += knows_upgrade ? 3 : 0;
    if (argc >= 2 && strcmp(argv[1], "--wire-upgrades") == 0) {
        return fake_upgraded_versions(mode, knows_upgrade);
    }
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("1.2.3\n");
        return mode_is("no") ? 101 : 0;
    }
    if (argc >= 2 && strncmp(argv[1], "--check-", 8) == 0) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s.insecure", self);
        bool fails = access(path, F_OK) == 0 || mode_is("no") ||
                     (mode_is("noroot") && strstr(argv[1], "root") != NULL);
        if (fails) {
            (void)fprintf(stderr, "the fake says no\nand more\n");
        }
        return fails ? 255 : 0;
    }
    if (argc >= 2 && strcmp(argv[1], "inspect") == 0) {
        return inspect(argc, argv);
    }
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--socket-path") == 0) {
            socket_path = argv[i + 1];
        } else if (knows_upgrade && strcmp(argv[i], "--inherited-socket") == 0) {
            upgraded = true;
        } else if (strcmp(argv[i], "--worker-dir-path") == 0) {
            worker_dir = argv[i + 1];
        } else if (mode_is("foreign")) {
            return 101;
        }
    }
    if ((socket_path == NULL && !upgraded) || worker_dir == NULL) {
        return 101;
    }
    int wrong = check_start(argc, argv);
    if (wrong == 0 && mode_is("threads3")) {
        wrong = check_threads(argc, argv);
    }
    if (wrong == 0 && mode_is("tiered")) {
        wrong = check_tiered(argc, argv);
    }
    if (wrong != 0) {
        return wrong;
    }
    return serve(socket_path, strcmp(argv[1], "execute-worker") == 0);
}
