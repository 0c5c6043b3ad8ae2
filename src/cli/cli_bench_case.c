/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: finding the files of a candidate's folder.  The folder is the user's own. */
#include "cli/cli_bench.h"

#include "base/error.h"
#include "base/fd.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int join(const char *folder, const char *file, char out[PATH_MAX], pvf_error *err)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", folder, file);
    return len >= 0 && len < PATH_MAX
               ? 0
               : pvf__error_set(err, PVF_ERR_INVALID_ARG, "%.160s: the path is too long", folder);
}

static bool is_there(const char *folder, const char *file, char out[PATH_MAX])
{
    return join(folder, file, out, NULL) == 0 && access(out, R_OK) == 0;
}

/* meta.json names the code beside it, or from two folders above: that of the whole corpus. */
static bool code_of_meta(const char *folder, char out[PATH_MAX])
{
    char above[PATH_MAX];
    if (join(folder, "meta.json", out, NULL) != 0) {
        return false;
    }
    json_t *json = json_load_file(out, 0, NULL);
    const char *name = json_string_value(json_object_get(json, "pvf"));
    bool found =
        name != NULL && (is_there(folder, name, out) ||
                         (join(folder, "../..", above, NULL) == 0 && is_there(above, name, out)));
    json_decref(json);
    return found;
}

static int read_code(const char *folder, struct pvf__bench_case *ret, pvf_error *err)
{
    char path[PATH_MAX];
    if (!code_of_meta(folder, path) && !is_there(folder, "code.wasm", path) &&
        !is_there(folder, "code.blob", path) && !is_there(folder, "code", path)) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%.120s holds no code.wasm, code.blob or code, and no meta.json that "
                              "names one",
                              folder);
    }
    return pvf__fd_read_file(path, &ret->code, err);
}

static int read_candidate(const char *folder, struct pvf__bench_case *ret, pvf_error *err)
{
    static char paths[2][PATH_MAX]; /* too large for the stack */
    struct pvf__cli_options options = {.params = NULL};
    if (is_there(folder, "pvd.scale", paths[0]) &&
        (is_there(folder, "block_data.bin", paths[1]) || is_there(folder, "pov", paths[1]))) {
        options.pvd = paths[0];
        options.pov = paths[1];
    } else if (is_there(folder, "validation_params.scale", paths[0])) {
        options.params = paths[0];
    } else {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%.120s holds no pvd.scale with block_data.bin, and no "
                              "validation_params.scale",
                              folder);
    }
    return pvf__cli_input_read(&options, &ret->candidate, err);
}

static void set_name(const char *folder, char out[64])
{
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/') {
        len--;
    }
    size_t from = len;
    while (from > 0 && folder[from - 1] != '/') {
        from--;
    }
    (void)snprintf(out, 64, "%.*s", (int)(len - from < 63 ? len - from : 63), folder + from);
}

int pvf__bench_case_read(const char *folder, struct pvf__bench_case *ret, pvf_error *err)
{
    char path[PATH_MAX];
    memset(ret, 0, sizeof *ret);
    pvf__buf_init(&ret->code, PVF__CLI_MAX_CODE);
    pvf__buf_init(&ret->expected, PVF__CLI_MAX_INPUT);
    set_name(folder, ret->name);
    int status = read_code(folder, ret, err);
    if (status == 0) {
        status = read_candidate(folder, ret, err);
    }
    if (status == 0 && is_there(folder, "expected_result.scale", path)) {
        status = pvf__fd_read_file(path, &ret->expected, err);
    }
    return status;
}

void pvf__bench_case_done(struct pvf__bench_case *item)
{
    pvf__buf_done(&item->code);
    pvf__buf_done(&item->expected);
    pvf__cli_input_done(&item->candidate);
}
