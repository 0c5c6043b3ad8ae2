/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what a scripted worker says and checks on the upgraded wire. */
#include "support/fake_upgraded.h"

#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/sealed.h"
#include "proto/executor_params.h"
#include "proto/frame.h"
#include "proto/frame_files.h"
#include "proto/upgrade.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX ((size_t)64 << 20)

int fake_upgraded_versions(const char *mode, bool upgraded)
{
    if (upgraded) {
        (void)puts("1");
        return 0;
    }
    if (strcmp(mode, "says-two") == 0) {
        (void)puts("2");
        return 0;
    }
    if (strcmp(mode, "says-eleven") == 0) {
        (void)puts("11 2 10");
        return 0;
    }
    if (strcmp(mode, "says-words") == 0) {
        (void)puts("version 1.");
        return 0;
    }
    if (strcmp(mode, "says-and-fails") == 0) {
        (void)puts("1");
        return 1;
    }
    if (strcmp(mode, "says-much") == 0) {
        for (int i = 0; i < 65536; i++) {
            (void)putchar('1');
        }
        return 0;
    }
    if (strcmp(mode, "says-nothing") == 0) {
        (void)sleep(1000);
    }
    return 101;
}

static void say_ready(const char *mode, int fd)
{
    struct pvf__upgrade_ready ready = {
        .version = PVF__UPGRADE_VERSION,
        .count = 2,
        .mechanisms = {{.name = pvf__slice_text("limits"), .state = PVF__UPGRADE_ON},
                       {.name = pvf__slice_text("landlock"),
                        .state = PVF__UPGRADE_FAILED,
                        .why = pvf__slice_text("a\nfake")}},
    };
    struct pvf__buf frame = PVF__BUF_INIT(4096);
    size_t start;
    pvf__frame_begin(&frame, &start);
    pvf__upgrade_ready_encode(&ready, &frame);
    pvf__frame_end(&frame, start);
    if (frame.failed != 0) {
        _exit(80);
    }
    if (strcmp(mode, "oldready") == 0) {
        frame.data[PVF__FRAME_HEADER] = PVF__UPGRADE_VERSION + 1;
    }
    if (strcmp(mode, "cutready") == 0) {
        frame.len--;
    }
    if (strcmp(mode, "filesready") == 0) {
        fake_upgraded_send_files(fd, frame.data, frame.len);
    } else if (pvf__fd_write(fd, frame.data, frame.len, NULL) != 0) {
        _exit(1);
    }
    pvf__buf_done(&frame);
}

bool fake_upgraded_start(const char *mode, int fd, struct pvf__buf *frame)
{
    struct pvf__upgrade_hello hello;
    if (pvf__frame_recv(fd, MAX, UINT64_MAX, frame, NULL) != 0 ||
        pvf__upgrade_hello_decode(frame->data, frame->len, &hello, NULL) != 0) {
        _exit(81);
    }
    if (strcmp(mode, "noready") == 0) {
        (void)sleep(1000);
    }
    if (strcmp(mode, "endready") == 0) {
        return false;
    }
    if (strcmp(mode, "longready") == 0) {
        static const uint8_t header[PVF__FRAME_HEADER] = {1, 16};
        return pvf__fd_write(fd, header, sizeof(header), NULL) == 0 && sleep(1000) == 0;
    }
    say_ready(mode, fd);
    return strcmp(mode, "cutready") != 0;
}

static void check_artifact(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0 ||
        (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) {
        _exit(83);
    }
}

bool fake_upgraded_take(int fd, bool is_execute, struct pvf__buf *frame)
{
    int files[PVF__FD_PASS_MAX];
    size_t least = is_execute ? 1 : 0;
    size_t count = 0;
    struct pvf__upgrade_request request;
    struct pvf__executor_params params;
    struct pvf__buf whole = PVF__BUF_INIT(MAX);
    if (pvf__frame_recv_files(
            fd, PVF__UPGRADE_REQUEST_MAX, &whole, least, least + 1, files, &count, NULL) != 0) {
        return false;
    }
    if (pvf__upgrade_request_decode(whole.data, whole.len, &request, NULL) != 0) {
        _exit(82);
    }
    struct pvf__slice body = request.body;
    bool sealed = count > least;
    if ((sealed && pvf__sealed_map(files[0], request.body_len, &body, NULL) != 0) ||
        body.len != request.body_len) {
        _exit(82);
    }
    if (is_execute) {
        check_artifact(files[count - 1]);
    }
    if (is_execute ? pvf__executor_params_decode(
                         request.params.data, request.params.len, &params, NULL) != 0
                   : request.params.len > 0) {
        _exit(84);
    }
    for (size_t i = 0; i < count; i++) {
        (void)close(files[i]);
    }
    frame->len = 0;
    frame->max = MAX;
    if (pvf__buf_append(frame, body.data, body.len) != 0) {
        _exit(85);
    }
    if (sealed) {
        pvf__sealed_unmap(&body);
    }
    pvf__buf_done(&whole);
    return true;
}

void fake_upgraded_send_files(int fd, const void *data, size_t len)
{
    const int files[] = {STDIN_FILENO, STDOUT_FILENO, fd};
    if (pvf__fd_pass_send(fd, data, len, files, 3) != (ssize_t)len) {
        _exit(86);
    }
}
