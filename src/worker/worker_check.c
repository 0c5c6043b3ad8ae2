/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: answering whether this machine has a mechanism of the sandbox. */
#include "worker/worker_check.h"

#include "proto/command_line.h"
#include "proto/exit_codes.h"
#include "sandbox/sandbox_check.h"

#include <stdio.h>
#include <string.h>

static const char *const words[] = {
    PVF__WORD_CHECK_LANDLOCK,
    PVF__WORD_CHECK_SECCOMP,
    PVF__WORD_CHECK_CHANGE_ROOT,
    PVF__WORD_CHECK_SECURE_CLONE,
};

bool pvf__worker_check_parse(char **argv, struct pvf__worker_check *check)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(argv[1], words[i]) == 0) {
            check->word = words[i];
            check->folder = argv[2];
            return true;
        }
    }
    return false;
}

int pvf__worker_check_run(const struct pvf__worker_check *check)
{
    pvf_error err = PVF_ERROR_INIT;
    int status;
    if (strcmp(check->word, PVF__WORD_CHECK_LANDLOCK) == 0) {
        status = pvf__sandbox_check_landlock(&err);
    } else if (strcmp(check->word, PVF__WORD_CHECK_SECCOMP) == 0) {
        status = pvf__sandbox_check_seccomp(check->filter, &err);
    } else if (strcmp(check->word, PVF__WORD_CHECK_SECURE_CLONE) == 0) {
        status = pvf__sandbox_check_secure_clone(&err);
    } else if (check->folder == NULL) {
        (void)fprintf(stderr, "%s needs a folder\n", check->word);
        return PVF__EXIT_PANIC;
    } else {
        status = pvf__sandbox_check_change_root(check->folder, &err);
    }
    if (status != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return PVF__EXIT_CHECK_FAILED;
    }
    return PVF__EXIT_OK;
}
