/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_instant_worker execute-worker … : an execute worker that answers every request at once with
 * a result of no content.  What a host takes with it is the host's own share of a job.
 *
 * bench_instant_worker prepare-worker … --artifact PATH --checksum HEX: a prepare worker that has
 * the artifact already, so that many short runs of a host need no preparation.
 */
#include "base/fd.h"
#include "base/text.h"
#include "proto/command_line.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"
#include "proto/prepare_msg.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ARTIFACT_MAX ((size_t)512 << 20)

/* Empty head data, no code, no messages, nothing processed, watermark 0. */
static const uint8_t result[12];

static struct {
    const char *socket;
    const char *folder;
    const char *artifact;
    const char *checksum;
} words;

static int join(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    PVF__CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path) {
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    (void)unlink(path); /* as a worker does; a host removes what is left */
    return PVF__TAKE_FD(fd);
}

static bool hear(int fd, size_t max, struct pvf__buf *message)
{
    return pvf__frame_recv(fd, max, UINT64_MAX, message, NULL) == 0;
}

static bool answer_executions(int fd, struct pvf__buf *message)
{
    const struct pvf__execute_answer answer = {
        .ok = true,
        .response = {.kind = PVF__JOB_RESPONSE_OK, .result = {result, sizeof result}},
        .duration = pvf__duration_from_us(1),
    };
    PVF__CLEANUP_BUF struct pvf__buf body = PVF__BUF_INIT(PVF__FRAME_MAX_EXECUTE_ANSWER);
    pvf__execute_answer_encode(&answer, &body);
    bool good = body.failed == 0 && hear(fd, PVF__FRAME_MAX_PARAMS, message);
    while (good && hear(fd, PVF__FRAME_MAX_EXECUTE_REQUEST, message)) {
        good = pvf__frame_send(fd, body.data, body.len, UINT64_MAX, NULL) == 0;
    }
    return good;
}

static bool answer_preparations(int fd, struct pvf__buf *message)
{
    struct pvf__prepare_answer answer = {.ok = true};
    PVF__CLEANUP_BUF struct pvf__buf artifact = PVF__BUF_INIT(ARTIFACT_MAX);
    PVF__CLEANUP_BUF struct pvf__buf body = PVF__BUF_INIT(PVF__FRAME_MAX_PREPARE_ANSWER);
    char path[PATH_MAX];
    size_t len = 0;
    int length = snprintf(path, sizeof path, "%s/tmp-artifact", words.folder);
    if (length < 0 || (size_t)length >= sizeof path ||
        pvf__fd_read_file(words.artifact, &artifact, NULL) != 0 ||
        !pvf__text_from_hex(words.checksum, answer.checksum, sizeof answer.checksum, &len) ||
        len != sizeof answer.checksum) {
        return false;
    }
    pvf__prepare_answer_encode(&answer, &body);
    bool good = body.failed == 0;
    while (good && hear(fd, PVF__FRAME_MAX_PREPARE_REQUEST, message)) {
        good = pvf__fd_write_file(path, 0600, artifact.data, artifact.len, NULL) == 0 &&
               pvf__frame_send(fd, body.data, body.len, UINT64_MAX, NULL) == 0;
    }
    return good;
}

static void take(const char *option, const char *value)
{
    const struct {
        const char *name;
        const char **place;
    } known[] = {
        {PVF__WORD_SOCKET_PATH, &words.socket},
        {PVF__WORD_WORKER_DIR, &words.folder},
        {"--artifact", &words.artifact},
        {"--checksum", &words.checksum},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(option, known[i].name) == 0) {
            *known[i].place = value;
        }
    }
}

int main(int argc, char **argv)
{
    bool executes = argc > 1 && strcmp(argv[1], "execute" PVF__WORD_COMMAND_SUFFIX) == 0;
    bool prepares = argc > 1 && strcmp(argv[1], "prepare" PVF__WORD_COMMAND_SUFFIX) == 0;
    for (int i = 2; i + 1 < argc; i += 2) {
        take(argv[i], argv[i + 1]);
    }
    if ((!executes && !prepares) || words.socket == NULL || words.folder == NULL ||
        (prepares && (words.artifact == NULL || words.checksum == NULL))) {
        (void)fprintf(stderr, "%s: a worker for measuring hosts; see bench/instant.c\n", argv[0]);
        return 101;
    }
    PVF__CLEANUP_BUF struct pvf__buf message = PVF__BUF_INIT(PVF__FRAME_MAX_EXECUTE_REQUEST);
    PVF__CLEANUP_FD int fd = join(words.socket);
    if (fd < 0 || !hear(fd, PVF__FRAME_MAX_HANDSHAKE, &message)) {
        return 1;
    }
    bool good = executes ? answer_executions(fd, &message) : answer_preparations(fd, &message);
    if (!good) {
        (void)fprintf(stderr, "%s: cannot answer\n", argv[0]);
    }
    return 1; /* every end of a worker */
}
