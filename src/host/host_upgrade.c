/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: whether our workers are spoken to in their own way, and how that begins. */
#include "host/host_upgrade.h"

#include "base/error.h"
#include "base/log.h"
#include "base/sealed.h"
#include "host/oneshot.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "proto/upgrade.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX ((size_t)4096)

/* Is the number one of those in the line? */
static bool names_version(const char *line, unsigned version)
{
    char word[16];
    size_t len = (size_t)snprintf(word, sizeof(word), "%u", version);
    while (*line != '\0') {
        size_t next = strcspn(line, " ");
        if (next == len && memcmp(line, word, len) == 0) {
            return true;
        }
        line += next + (line[next] == ' ' ? 1 : 0);
    }
    return false;
}

/* Requests need sealed memory; where a machine refuses it, there is the plain wire. */
static bool have_sealed_memory(void)
{
    PVF__CLEANUP_FD int fd = -1;
    return pvf__sealed_make("pvf-try", NULL, 0, &fd, NULL) == 0;
}

static bool hear_answer(const struct pvf__program *program, struct pvf__oneshot_running *running)
{
    struct pvf__oneshot done;
    char line[64];
    if (pvf__oneshot_finish(running, program->path, PVF__WORD_UPGRADES, &done, NULL) != 0) {
        return false;
    }
    pvf__oneshot_line(&done.out, line, sizeof(line));
    bool known = pvf__oneshot_succeeded(&done) && names_version(line, PVF__UPGRADE_VERSION);
    pvf__oneshot_done(&done);
    pvf__log(PVF__LOG_DEBUG,
             "%s is spoken to on the %s wire",
             program->path,
             known ? "upgraded" : "plain");
    return known;
}

void pvf__host_upgrade_ask(const struct pvf__program *const programs[2],
                           uint64_t deadline_ns,
                           bool ret[2])
{
    struct pvf__oneshot_running running[2];
    bool started[2] = {false, false};
    bool can = have_sealed_memory();
    for (size_t i = 0; i < 2; i++) {
        const char *const argv[] = {programs[i]->path, PVF__WORD_UPGRADES, NULL};
        started[i] = can && programs[i]->path != NULL &&
                     pvf__oneshot_start(pvf__program_descriptor(programs[i]),
                                        argv,
                                        (struct pvf__slice){NULL, 0},
                                        ANSWER_MAX,
                                        deadline_ns,
                                        &running[i],
                                        NULL) == 0;
    }
    for (size_t i = 0; i < 2; i++) {
        ret[i] = started[i] && hear_answer(programs[i], &running[i]);
    }
}

void pvf__host_upgrade_put_hello(const pvf_security_status *security, struct pvf__buf *buf)
{
    const struct pvf__upgrade_hello hello = {.version = PVF__UPGRADE_VERSION,
                                             .security = *security};
    size_t start;
    pvf__frame_begin(buf, &start);
    pvf__upgrade_hello_encode(&hello, buf);
    pvf__frame_end(buf, start);
}

int pvf__host_upgrade_hear_ready(enum pvf__worker_kind kind,
                                 pid_t pid,
                                 const pvf_security_status *security,
                                 const struct pvf__buf *body,
                                 pvf_error *err)
{
    struct pvf__upgrade_ready ready;
    char text[512];
    int status = pvf__upgrade_ready_decode(body->data, body->len, &ready, err);
    if (status != 0) {
        return status;
    }
    pvf__upgrade_ready_text(&ready, text, sizeof(text));
    for (size_t i = 0; i < ready.count; i++) {
        if (ready.mechanisms[i].state == PVF__UPGRADE_FAILED && security->secure_validator_mode) {
            return pvf__error_set(
                err, PVF_ERR_PEER, "it is not fenced as secure mode asks: %s", text);
        }
    }
    pvf__log(PVF__LOG_DEBUG,
             "%s worker %d is ready, with: %s",
             pvf__spawn_kind_name(kind),
             (int)pid,
             text);
    return 0;
}
