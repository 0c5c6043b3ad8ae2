/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the command cache warm: prepares codes ahead of need.  The worker is opened once, and the
 * identity is made of the very file that is run.
 */
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli_cache.h"
#include "cli/cli_command.h"
#include "cli/cli_input.h"
#include "cli/cli_job.h"
#include "cli/cli_params.h"
#include "cli/cli_progress.h"
#include "cli/cli_report.h"
#include "cli/cli_workers.h"
#include "hash/hash.h"
#include "pvf/host.h"
#include "pvf/status.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What warming works with. */
struct warm {
    const struct pvf__cli_cache_options *options;
    struct pvf__buf scale;
    struct pvf__executor_params params;
    uint8_t prep_hash[32];
    uint64_t timeout_ms;
    struct pvf__cache *cache;
    pvf_host *host;
    json_t *codes; /* owned; NULL without --json */
};

/* What became of one code. */
struct warmed {
    const char *file;
    const char *state; /* static: "stored", "there already", … */
    uint8_t code_hash[32];
    uint64_t artifact_size;
    uint64_t wall_us;
    char text[PVF_OUTCOME_TEXT];
};

static int make_identity(const struct pvf__cli_cache_options *options,
                         const char *program,
                         struct pvf__cache_identity *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    char version[128];
    const struct pvf__cache_worker worker = {
        .program = program, .version = version, .metering = (int32_t)options->metering};
    int status = pvf_worker_version(program, version, sizeof version, &err);
    if (status == PVF_OK) {
        status = pvf__cache_identity_make(&worker, ret, &err);
    }
    if (status == PVF_OK) {
        return -1;
    }
    return pvf__cli_fail(status == PVF_ERR_UNSUPPORTED ? PVF__CLI_USAGE : PVF__CLI_INTERNAL,
                         "its artifacts cannot be kept; name another folder: --workers DIR",
                         "%s",
                         err.text);
}

static int read_params(struct warm *warm)
{
    pvf_error err = PVF_ERROR_INIT;
    const struct pvf__cli_cache_options *options = warm->options;
    int status = pvf__cli_params_read(options->executor_params, &warm->scale, &warm->params, &err);
    if (status == PVF_OK) {
        status = pvf__executor_params_prep_hash(&warm->params, warm->prep_hash);
    }
    if (status != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "SCALE hex, JSON, or a file with either; see pvf(1)",
                             "--executor-params: %s",
                             err.text);
    }
    warm->timeout_ms =
        options->precheck ? warm->params.precheck_timeout_ms : warm->params.prepare_timeout_ms;
    if (options->timeout_ms != 0) {
        warm->timeout_ms = options->timeout_ms;
    }
    return -1;
}

static int open_host(struct warm *warm, const char *program)
{
    pvf_error err = PVF_ERROR_INIT;
    const pvf_host_config config = {
        .prepare_worker_path = program,
        /* On the cache's own file system, so that artifacts are moved and not copied. */
        .cache_dir = warm->options->folder,
        .log_directives = getenv("RUST_LOG"),
        .quiet = getenv("RUST_LOG") == NULL,
        .security_mode = PVF_SECURITY_DETECT,
        .metering = (int32_t)warm->options->metering,
        .compile_threads = warm->options->compile_threads,
    };
    return pvf_host_new(&config, &warm->host, &err) == PVF_OK
               ? -1
               : pvf__cli_fail(PVF__CLI_INTERNAL,
                               "is the worker program intact?",
                               "the worker could not be made ready: %s",
                               err.text);
}

/* Is it there, and is it as good as what would be made? */
static int is_there(const struct warm *warm, const uint8_t code_hash[32], bool *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    PVF__CLEANUP_CACHE_LIST struct pvf__cache_list list = PVF__CACHE_LIST_NONE;
    if (pvf__cache_list(warm->cache, &list, &err) != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_INTERNAL, "look at the disk", "%s", err.text);
    }
    *ret = false;
    for (size_t i = 0; i < list.count && !*ret; i++) {
        const struct pvf__cache_entry *entry = &list.items[i];
        struct pvf__cache_artifact artifact = {.fd = -1};
        if (entry->result == PVF__CACHE_HIT && memcmp(entry->meta.code_hash, code_hash, 32) == 0 &&
            memcmp(entry->meta.prep_hash, warm->prep_hash, 32) == 0 &&
            (entry->meta.prechecked || !warm->options->precheck) &&
            pvf__cache_load(warm->cache, &entry->name, &artifact) == PVF__CACHE_HIT) {
            (void)close(artifact.fd);
            pvf__cache_touch(warm->cache, &entry->name, (uint64_t)time(NULL));
            *ret = true;
        }
    }
    return -1;
}

static int keep(const struct warm *warm, const pvf_prepare_outcome *outcome)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__cache_name name;
    struct pvf__cache_meta meta = {
        .cpu_us = outcome->cpu_us,
        .wall_us = outcome->wall_us,
        .max_rss_kib = outcome->max_rss_kib,
        .peak_allocated = outcome->peak_allocated,
        .code_len = outcome->code_len,
        .prechecked = warm->options->precheck,
        .timeout_ms = warm->timeout_ms,
        .memory_limit =
            warm->params.has_prechecking_max_memory ? warm->params.prechecking_max_memory : 0,
        .bomb_limit = warm->options->bomb_limit,
    };
    memcpy(meta.code_hash, outcome->code_hash, sizeof meta.code_hash);
    memcpy(meta.prep_hash, outcome->prep_hash, sizeof meta.prep_hash);
    pvf__executor_params_hash(&warm->params, meta.params_hash);
    memcpy(meta.checksum, outcome->checksum, sizeof meta.checksum);
    return pvf__cache_store(warm->cache, outcome->artifact_path, &meta, &name, &err) == PVF_OK
               ? -1
               : pvf__cli_fail(PVF__CLI_INTERNAL,
                               "is the disk full?",
                               "the artifact could not be kept: %s",
                               err.text);
}

/* As the command prepare judges: what only the code decides is invalid. */
static int judge(const pvf_prepare_outcome *outcome, struct warmed *ret)
{
    enum pvf__cli_class class = pvf__cli_prepare_class(outcome);
    ret->artifact_size = outcome->artifact_size;
    ret->wall_us = outcome->wall_us;
    if (!outcome->ok) {
        (void)snprintf(ret->text, sizeof ret->text, "%s: %s", outcome->name, outcome->text);
        pvf__cli_report_clean(ret->text);
    }
    ret->state = class == PVF__CLI_CLASS_VALID ? "stored" : pvf__cli_class_name(class);
    return pvf__cli_class_exit(class);
}

/* One code; the exit code of it, which is more than OK when it could not be prepared. */
static int warm_one(struct warm *warm, const char *file, struct warmed *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    bool there = false;
    PVF__CLEANUP_BUF struct pvf__buf code = PVF__BUF_INIT(PVF__CLI_MAX_CODE);
    *ret = (struct warmed){.file = file, .state = "there already"};
    if (pvf__fd_read_file(file, &code, &err) != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_USAGE, "name files with code", "%s", err.text);
    }
    pvf__hash_blake2b_256(code.data, code.len, ret->code_hash);
    int stop = is_there(warm, ret->code_hash, &there);
    if (stop >= 0 || there) {
        return stop >= 0 ? stop : PVF__CLI_OK;
    }
    const pvf_prepare_request request = {
        .code = {code.data, code.len},
        .bomb_limit = warm->options->bomb_limit,
        .executor_params = {warm->params.raw.data, warm->params.raw.len},
        .timeout_ms = warm->timeout_ms,
        .kind = warm->options->precheck ? PVF_PREPARE_PRECHECKING : PVF_PREPARE_COMPILATION,
    };
    pvf_prepare_outcome outcome = {.ok = false};
    int status = pvf_host_prepare(warm->host, &request, &outcome, &err);
    if (status != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "look at memory, disk and the worker programs",
                             "preparing %s failed: %s",
                             file,
                             err.text);
    }
    int result = judge(&outcome, ret);
    if (outcome.ok) {
        stop = keep(warm, &outcome);
        result = stop >= 0 ? stop : result;
    }
    pvf_prepare_outcome_done(&outcome);
    return result;
}

static int tell(struct warm *warm, const struct warmed *warmed)
{
    char hash[PVF__CLI_CACHE_HASH];
    char bytes[32];
    char span[32];
    char file[PATH_MAX];
    (void)snprintf(file, sizeof file, "%s", warmed->file);
    pvf__cli_report_clean(file);
    if (warm->codes != NULL) {
        char digits[67] = "0x";
        pvf__text_to_hex(warmed->code_hash, 32, digits + 2);
        int failed = json_array_append_new(warm->codes,
                                           json_pack("{ss, ss, ss, sI, sI, ss}",
                                                     "file",
                                                     file,
                                                     "code_hash",
                                                     digits,
                                                     "state",
                                                     warmed->state,
                                                     "artifact_size",
                                                     (json_int_t)warmed->artifact_size,
                                                     "wall_us",
                                                     (json_int_t)warmed->wall_us,
                                                     "text",
                                                     warmed->text));
        return failed == 0 ? -1 : pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "out of memory");
    }
    pvf__cli_cache_hash(warmed->code_hash, hash);
    if (warmed->artifact_size > 0) {
        pvf__cli_report_bytes(warmed->artifact_size, bytes, sizeof bytes);
        pvf__cli_report_time(warmed->wall_us, span, sizeof span);
        (void)printf("%s  %s  %s in %s  %s\n", hash, warmed->state, bytes, span, file);
    } else {
        (void)printf("%s  %s  %s%s%s\n",
                     hash,
                     warmed->state,
                     file,
                     warmed->text[0] != '\0' ? ": " : "",
                     warmed->text);
    }
    return pvf__cli_cache_flush() == PVF__CLI_OK ? -1 : PVF__CLI_INTERNAL;
}

/* All codes, the bad ones too; the worst exit code. */
static int warm_all(struct warm *warm)
{
    const struct pvf__cli_cache_options *options = warm->options;
    int worst = PVF__CLI_OK;
    for (int i = 0; i < options->operand_count; i++) {
        struct warmed warmed;
        pvf__cli_progress_begin("preparing");
        int code = warm_one(warm, options->operands[i], &warmed);
        pvf__cli_progress_end();
        worst = code > worst ? code : worst;
        if (code == PVF__CLI_USAGE || code == PVF__CLI_INTERNAL) {
            /* Explained already; a disk or a worker that fails would fail again. */
            break;
        }
        int stop = tell(warm, &warmed);
        if (stop >= 0) {
            return stop;
        }
    }
    return worst;
}

int pvf__cli_cache_warm(const struct pvf__cli_cache_options *options)
{
    pvf_error err = PVF_ERROR_INIT;
    static struct pvf__cli_workers workers; /* two long paths */
    struct pvf__cache_identity identity;
    struct warm warm = {.options = options, .scale = PVF__BUF_INIT((size_t)1 << 20)};
    if (pvf__cli_workers_find(options->workers, &workers, &err) != PVF_OK) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name their folder: --workers DIR, or PVF_WORKERS=DIR", "%s", err.text);
    }
    int code = make_identity(options, workers.prepare, &identity);
    if (code < 0) {
        code = read_params(&warm);
    }
    if (code < 0) {
        code = pvf__cli_cache_open(options, PVF__CACHE_OWN, &identity, &warm.cache);
    }
    if (code < 0) {
        code = open_host(&warm, workers.prepare);
    }
    if (code < 0) {
        warm.codes = options->json ? json_array() : NULL;
        code = warm_all(&warm);
    }
    if (warm.codes != NULL && pvf__cli_cache_print(json_pack("{so}", "codes", warm.codes)) != 0) {
        code = PVF__CLI_INTERNAL;
    }
    pvf_host_free(warm.host);
    pvf__cache_close(warm.cache);
    pvf__buf_done(&warm.scale);
    return code;
}
