/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the idle workers of a host, at most one of each kind.  A worker is a token: whoever took it
 * may use it, and it lives on only if it is given back.
 */
#include "host/host_job.h"

#include "base/error.h"
#include "base/log.h"
#include "host/folder.h"
#include "proto/command_line.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What the prepare worker is told on its command line; NULL: nothing. */
static const char *metering_word(enum pvf_metering metering)
{
    switch (metering) {
    case PVF_METERING_CALLEE:
        return PVF__WORD_METERING_CALLEE;
    case PVF_METERING_CALL_SITE:
        return PVF__WORD_METERING_CALL_SITE;
    case PVF_METERING_DEFAULT:
    default:
        return NULL;
    }
}

void pvf__host_spawn_spec(const struct pvf_host *host,
                          enum pvf__worker_kind kind,
                          struct pvf__spawn_spec *ret)
{
    bool is_prepare = kind == PVF__WORKER_KIND_PREPARE;
    *ret = (struct pvf__spawn_spec){
        .program = is_prepare ? &host->prepare_program : &host->execute_program,
        .kind = kind,
        .node_version = host->node_version,
        .log_directives = host->log_directives,
        .cache_dir = host->folder,
        .timeout_ms = host->spawn_timeout_ms,
        .quiet = host->quiet,
        .upgraded = host->upgraded[kind],
        .metering = is_prepare ? metering_word(host->metering) : NULL,
        .compile_threads = is_prepare ? host->compile_threads : 0,
        .first_tier = is_prepare && host->first_tier,
    };
}

static int start(const struct pvf_host *host,
                 enum pvf__worker_kind kind,
                 const struct pvf__executor_params *params,
                 struct pvf__host_worker *ret,
                 pvf_error *err)
{
    struct pvf__spawn_spec spec;
    pvf__host_spawn_spec(host, kind, &spec);
    return pvf__host_worker_start(ret, &spec, &host->security, params, err);
}

static struct pvf__host_worker *place_of(struct pvf_host *host, enum pvf__worker_kind kind)
{
    return kind == PVF__WORKER_KIND_PREPARE ? &host->prepare : &host->execute;
}

int pvf__host_take(struct pvf_host *host,
                   enum pvf__worker_kind kind,
                   const struct pvf__executor_params *params,
                   struct pvf__host_worker *ret,
                   pvf_error *err)
{
    struct pvf__host_worker *idle = place_of(host, kind);
    uint8_t hash[32] = {0};
    /* On the upgraded wire each job brings its parameters. */
    params = host->upgraded[kind] ? NULL : params;
    if (params != NULL) {
        pvf__executor_params_hash(params, hash);
    }
    if (idle->alive && !pvf__host_worker_is_dead(idle) &&
        memcmp(hash, idle->params_hash, sizeof(hash)) == 0) {
        *ret = *idle;
        idle->alive = false;
        return 0;
    }
    pvf__host_worker_end(idle);
    return start(host, kind, params, ret, err);
}

/* An empty folder for the next job. */
static int tidy(const char *folder, pvf_error *err)
{
    int status = pvf__folder_empty(folder, err);
    if (status == 0 && access(folder, F_OK) != 0) {
        /* Empty enough, but no job can be given through it. */
        return pvf__error_errno(err, PVF_ERR_IO, errno, "the folder %s is gone", folder);
    }
    return status;
}

void pvf__host_give_back(struct pvf_host *host, struct pvf__host_worker *worker)
{
    struct pvf__host_worker *place = place_of(host, worker->kind);
    pvf_error err = PVF_ERROR_INIT;
    if (tidy(worker->spawned.dir, &err) != 0) {
        /* What was found out about the job stands; only the worker is given up. */
        pvf__log(PVF__LOG_WARN, "%s; the worker is ended", err.text);
        pvf__host_worker_end(worker);
        return;
    }
    pvf__host_worker_end(place);
    *place = *worker;
    worker->alive = false;
}
