/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: where the worker programs are. */
#include "cli/cli_workers.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool find_one(const char *dir, const char *kind, char out[PATH_MAX])
{
    static const char *const prefixes[] = {"pvf", "polkadot"};
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_MAX];
        int len = snprintf(path, sizeof path, "%s/%s-%s-worker", dir, prefixes[i], kind);
        if (len > 0 && (size_t)len < sizeof path && access(path, X_OK) == 0) {
            memcpy(out, path, (size_t)len + 1);
            return true;
        }
    }
    return false;
}

static bool find_both(const char *dir, struct pvf__cli_workers *ret)
{
    return find_one(dir, "prepare", ret->prepare) && find_one(dir, "execute", ret->execute);
}

int pvf__cli_workers_find(const char *dir, struct pvf__cli_workers *ret, pvf_error *err)
{
    const char *asked = dir ? dir : getenv("PVF_WORKERS");
    if (asked && asked[0] != '\0') {
        return find_both(asked, ret)
                   ? PVF_OK
                   : pvf__error_set(err,
                                    PVF_ERR_INVALID_ARG,
                                    "%.160s holds no pvf-prepare-worker and pvf-execute-worker",
                                    asked);
    }
    char self[PATH_MAX];
    char libexec[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash) {
        return pvf__error_set(err, PVF_ERR_IO, "cannot tell where this program is (no /proc?)");
    }
    *slash = '\0';
    (void)snprintf(libexec, sizeof libexec, "%s/../libexec/pvf", self);
    if (find_both(self, ret) || find_both(libexec, ret)) {
        return PVF_OK;
    }
    return pvf__error_set(err,
                          PVF_ERR_INVALID_ARG,
                          "no pvf-prepare-worker and pvf-execute-worker in %.120s or its "
                          "../libexec/pvf",
                          self);
}
