/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the text that stands for a build of the prepare worker.  Trusts the worker's file. */
#include "cache/cache_identity.h"

#include "base/error.h"
#include "base/text.h"
#include "cache/cache_program.h"
#include "pvf/status.h"
#include "pvf/types.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One word of a text: no blanks, so that the parts of a build cannot be mixed up. */
static bool is_word(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return text[0] != '\0';
}

bool pvf__cache_identity_is_valid(const struct pvf__cache_identity *identity)
{
    size_t len = strnlen(identity->build, sizeof(identity->build));
    if (len == 0 || len == sizeof(identity->build)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (identity->build[i] < ' ' || identity->build[i] > '~') {
            return false;
        }
    }
    return true;
}

/* What is behind a script may be another program the next time. */
static int refuse_script(const char *path, pvf_error *err)
{
    char magic[2];
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0 && pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
        memcmp(magic, "#!", sizeof(magic)) == 0) {
        return pvf__error_set(err,
                              PVF_ERR_UNSUPPORTED,
                              "%s is a script: which build its artifacts are of cannot be told",
                              path);
    }
    return 0;
}

static int digest_program(const struct pvf__cache_worker *worker, char hex[65], pvf_error *err)
{
    uint8_t digest[32];
    uint64_t size;
    int status = refuse_script(worker->program, err);
    if (status == 0) {
        status = pvf__cache_program_digest(
            worker->cache, "prepare", worker->program, digest, &size, err);
    }
    if (status == 0) {
        pvf__text_to_hex(digest, sizeof(digest), hex);
    }
    return status;
}

int pvf__cache_identity_make(const struct pvf__cache_worker *worker,
                             struct pvf__cache_identity *ret,
                             pvf_error *err)
{
    struct pvf__cache_identity identity = {.build = ""};
    char hex[65];
    const char *more = worker->more != NULL ? worker->more : "";
    const char *metering =
        worker->metering == PVF_METERING_CALL_SITE ? "metering=call-site" : "metering=callee";
    if (!is_word(worker->version) || (more[0] != '\0' && !is_word(more))) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "a worker's version and settings are single words");
    }
    int status = digest_program(worker, hex, err);
    if (status == 0) {
        status = pvf__cache_cpu(identity.cpu, err);
    }
    if (status != 0) {
        return status;
    }
    int len = snprintf(identity.build,
                       sizeof(identity.build),
                       "version=%s %s%s%s program=%s",
                       worker->version,
                       metering,
                       more[0] != '\0' ? " " : "",
                       more,
                       hex);
    if (len < 0 || (size_t)len >= sizeof(identity.build)) {
        return pvf__error_set(
            err,
            PVF_ERR_LIMIT,
            "a worker's version and settings are too long, limit %zu bytes in all",
            sizeof(identity.build) - 1);
    }
    *ret = identity;
    return 0;
}
