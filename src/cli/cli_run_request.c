/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what each request of `pvf run` means.  A fault in one is answered and touches no other. */
#include "base/error.h"
#include "base/text.h"
#include "cli/cli_params.h"
#include "cli/cli_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS_MAX ((size_t)1 << 20)
#define LEAVES_MAX 65536u

/* One line while it is dealt with. */
struct request {
    struct pvf__run *run;
    struct pvf__run_client *client;
    struct pvf__run_object object;
    json_t *id; /* the object's; NULL: none */
    pvf_error *err;
};

void pvf__run_job_end(struct pvf__run_job *job)
{
    struct pvf__run_client *client = job->client;
    if (client != NULL) {
        struct pvf__run_job **at = &client->jobs;
        while (*at != job) {
            at = &(*at)->next;
        }
        *at = job->next;
        client->live--;
    }
    json_decref(job->id);
    free(job);
}

static void on_precheck(pvf_service *service, const pvf_precheck_reply *reply)
{
    struct pvf__run_job *job = reply->user;
    (void)service;
    if (job->client != NULL) {
        pvf__run_answer_precheck(job, reply);
    }
    pvf__run_job_end(job);
}

static void on_execute(pvf_service *service, const pvf_execute_reply *reply)
{
    struct pvf__run_job *job = reply->user;
    (void)service;
    if (job->client != NULL) {
        pvf__run_answer_execute(job, reply);
    }
    pvf__run_job_end(job);
}

/* ---- Ids ---- */

static int check_id(const json_t *id, const char *key, pvf_error *err)
{
    bool good = (json_is_string(id) && json_string_length(id) <= PVF__RUN_ID_MAX) ||
                (json_is_integer(id) && json_integer_value(id) >= 0);
    return good ? 0
                : pvf__error_set(err,
                                 PVF_ERR_INVALID_ARG,
                                 "%s: a text of at most %u bytes, or a whole number, is needed",
                                 key,
                                 PVF__RUN_ID_MAX);
}

static struct pvf__run_job *find(const struct pvf__run_client *client, const json_t *id)
{
    struct pvf__run_job *job = client->jobs;
    while (job != NULL && !json_equal(job->id, id)) {
        job = job->next;
    }
    return job;
}

/* A job with the request's id, which no other of the client has; NULL with the error set. */
static struct pvf__run_job *make_job(const struct request *request)
{
    if (request->id == NULL) {
        (void)pvf__error_set(request->err, PVF_ERR_INVALID_ARG, "id is missing");
        return NULL;
    }
    if (find(request->client, request->id) != NULL) {
        (void)pvf__error_set(
            request->err, PVF_ERR_INVALID_ARG, "id: a request with this one still lives");
        return NULL;
    }
    struct pvf__run_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        (void)pvf__error_set(request->err, PVF_ERR_NO_MEMORY, "no memory for a request");
        return NULL;
    }
    *job = (struct pvf__run_job){.run = request->run, .id = json_incref(request->id)};
    return job;
}

/* After the service took it: the job is the client's until its answer. */
static void attach(const struct request *request, struct pvf__run_job *job)
{
    job->client = request->client;
    job->next = request->client->jobs;
    request->client->jobs = job;
    request->client->live++;
}

/* ---- Code ---- */

struct code {
    struct pvf__buf bytes;
    struct pvf__buf params;
    pvf_code code;
};

static void code_init(struct code *code)
{
    memset(code, 0, sizeof *code);
    pvf__buf_init(&code->bytes, PVF__CLI_MAX_CODE);
    pvf__buf_init(&code->params, PARAMS_MAX);
}

static void code_done(struct code *code)
{
    pvf__buf_done(&code->bytes);
    pvf__buf_done(&code->params);
}

/* The same forms as on the command line. */
static int get_params(const struct request *request, json_t *value, struct pvf__buf *scale)
{
    struct pvf__executor_params params;
    if (json_is_string(value)) {
        return pvf__cli_params_read(json_string_value(value), scale, &params, request->err);
    }
    char *text = json_is_array(value) ? json_dumps(value, JSON_COMPACT) : NULL;
    if (text == NULL) {
        return pvf__error_set(
            request->err, PVF_ERR_INVALID_ARG, "a list, or a text with SCALE hex, is needed");
    }
    int status = pvf__cli_params_read(text, scale, &params, request->err);
    free(text);
    return status;
}

static int get_code(struct request *request, struct code *ret)
{
    uint64_t bomb_limit = 0;
    json_t *params = pvf__run_member(&request->object, "executor_params");
    int status = pvf__run_bytes(&request->object, "code", &ret->bytes);
    if (status == 0 && params != NULL) {
        status = get_params(request, params, &ret->params);
        if (status != 0) {
            pvf__error_wrap(request->err, "executor_params");
        }
    }
    if (status == 0) {
        status = pvf__run_number(&request->object, "bomb_limit", UINT32_MAX, &bomb_limit);
    }
    if (status == 0) {
        status = pvf__run_number(
            &request->object, "prepare_timeout_ms", 86400000, &ret->code.timeout_ms);
    }
    ret->code.code = (pvf_bytes){.data = ret->bytes.data, .len = ret->bytes.len};
    ret->code.executor_params = (pvf_bytes){.data = ret->params.data, .len = ret->params.len};
    ret->code.bomb_limit = (uint32_t)bomb_limit;
    return status;
}

/* ---- One function per operation ---- */

static int do_precheck(struct request *request)
{
    struct code code;
    struct pvf__run_job *job = make_job(request);
    if (job == NULL) {
        return request->err->code;
    }
    code_init(&code);
    int status = get_code(request, &code);
    if (status == 0) {
        status = pvf__run_no_more(&request->object);
    }
    if (status == 0) {
        status = pvf_service_precheck(
            request->run->service, &code.code, on_precheck, job, &job->request, request->err);
    }
    if (status == 0) {
        attach(request, job);
    } else {
        pvf__run_job_end(job);
    }
    code_done(&code);
    return status;
}

static int do_heads_up(struct request *request)
{
    struct code code;
    code_init(&code);
    int status = get_code(request, &code);
    if (status == 0) {
        status = pvf__run_no_more(&request->object);
    }
    if (status == 0) {
        status = pvf_service_heads_up(request->run->service, &code.code, request->err);
    }
    if (status == 0) {
        pvf__run_answer_flag(request->client, "heads_up", request->id, "accepted", true);
    }
    code_done(&code);
    return status;
}

/* The candidate in one of three forms, as the command line has them. */
static int get_inputs(struct request *request, struct pvf__cli_candidate *candidate)
{
    struct pvf__run_object *object = &request->object;
    bool params = pvf__run_member(object, "params") != NULL;
    bool bundle = pvf__run_member(object, "bundle") != NULL;
    bool two = pvf__run_member(object, "pvd") != NULL || pvf__run_member(object, "pov") != NULL;
    if (params + bundle + two != 1) {
        return pvf__error_set(request->err,
                              PVF_ERR_INVALID_ARG,
                              "one candidate is needed: pvd and pov, or params, or bundle");
    }
    const char *name = params ? "params" : bundle ? "bundle" : "pvd";
    int status = pvf__run_bytes(object, name, &candidate->first);
    if (status == 0 && two) {
        status = pvf__run_bytes(object, "pov", &candidate->second);
    }
    if (status != 0) {
        return status;
    }
    return params   ? pvf__cli_input_params(candidate, name, request->err)
           : bundle ? pvf__cli_input_bundle(candidate, name, request->err)
                    : pvf__cli_input_two(candidate, name, request->err);
}

static int get_descriptor(struct request *request,
                          const struct pvf__cli_candidate *candidate,
                          pvf_execute_request *ret)
{
    static const char *const versions[] = {"v1", "v2", "v3", NULL};
    struct pvf__run_object *object = &request->object;
    bool relay = false;
    bool scheduling = false;
    ret->descriptor_version = candidate->has_v3 ? PVF_DESCRIPTOR_V3 : PVF_DESCRIPTOR_V1;
    memcpy(ret->relay_parent, candidate->relay_parent, 32);
    memcpy(ret->scheduling_parent, candidate->scheduling_parent, 32);
    int status = pvf__run_word(object, "descriptor", versions, &ret->descriptor_version);
    if (status == 0) {
        status = pvf__run_hash(object, "relay_parent", ret->relay_parent, &relay);
    }
    if (status == 0) {
        status = pvf__run_hash(object, "scheduling_parent", ret->scheduling_parent, &scheduling);
    }
    if (status == 0 && (relay || scheduling) && candidate->has_v3) {
        status = pvf__error_set(request->err,
                                PVF_ERR_INVALID_ARG,
                                "params hold the parents of a V3 candidate themselves");
    }
    return status;
}

static int get_candidate(struct request *request,
                         struct pvf__cli_candidate *inputs,
                         struct pvf__run_job *job,
                         pvf_candidate *ret)
{
    static const char *const kinds[] = {
        "dispute", "approval", "backing-system-paras", "backing", NULL};
    struct pvf__run_object *object = &request->object;
    pvf_execute_request *execution = &ret->execution;
    uint64_t deadline = 0;
    bool leaf = false;
    ret->kind = PVF_EXEC_BACKING;
    int status = get_inputs(request, inputs);
    if (status == 0) {
        status = get_descriptor(request, inputs, execution);
    }
    if (status == 0) {
        status = pvf__run_word(object, "kind", kinds, &ret->kind);
    }
    if (status == 0) {
        status = pvf__run_bool(object, "retry", &ret->retry);
    }
    if (status == 0) {
        status = pvf__run_bool(object, "result", &job->with_result);
    }
    if (status == 0) {
        status = pvf__run_number(object, "deadline_ms", UINT32_MAX, &deadline);
    }
    if (status == 0) {
        status = pvf__run_number(object, "timeout_ms", 86400000, &execution->timeout_ms);
    }
    if (status == 0) {
        status = pvf__run_hash(object, "scheduling_leaf", ret->scheduling_leaf, &leaf);
    }
    ret->deadline_ms = (uint32_t)deadline;
    execution->executor_params = ret->code.executor_params;
    execution->parent_head =
        (pvf_bytes){.data = inputs->pvd.parent_head.data, .len = inputs->pvd.parent_head.len};
    execution->relay_parent_number = inputs->pvd.relay_parent_number;
    memcpy(execution->relay_parent_storage_root, inputs->pvd.relay_parent_storage_root, 32);
    execution->max_pov_size = inputs->pvd.max_pov_size;
    execution->pov = (pvf_bytes){.data = inputs->pov.data, .len = inputs->pov.len};
    return status;
}

static int do_execute(struct request *request)
{
    struct code code;
    struct pvf__cli_candidate inputs;
    pvf_candidate candidate;
    struct pvf__run_job *job = make_job(request);
    if (job == NULL) {
        return request->err->code;
    }
    memset(&candidate, 0, sizeof candidate);
    code_init(&code);
    pvf__cli_input_init(&inputs);
    int status = get_code(request, &code);
    candidate.code = code.code;
    if (status == 0) {
        status = get_candidate(request, &inputs, job, &candidate);
    }
    if (status == 0) {
        status = pvf__run_no_more(&request->object);
    }
    if (status == 0) {
        status = pvf_service_execute(
            request->run->service, &candidate, on_execute, job, &job->request, request->err);
    }
    if (status == 0) {
        attach(request, job);
    } else {
        pvf__run_job_end(job);
    }
    pvf__cli_input_done(&inputs);
    code_done(&code);
    return status;
}

static int do_active_leaves(struct request *request)
{
    json_t *list = pvf__run_member(&request->object, "hashes");
    size_t count = json_array_size(list);
    int status = pvf__run_no_more(&request->object);
    if (status != 0) {
        return status;
    }
    if (!json_is_array(list) || count > LEAVES_MAX) {
        return pvf__error_set(request->err,
                              PVF_ERR_INVALID_ARG,
                              "hashes: a list of at most %u hashes is needed",
                              LEAVES_MAX);
    }
    PVF__CLEANUP_FREE uint8_t(*hashes)[32] = calloc(count + 1, sizeof *hashes);
    if (hashes == NULL) {
        return pvf__error_set(request->err, PVF_ERR_NO_MEMORY, "no memory for the leaves");
    }
    for (size_t i = 0; status == 0 && i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        size_t len = 0;
        if (text == NULL || !pvf__text_from_hex(text, hashes[i], 32, &len) || len != 32) {
            status = pvf__error_set(
                request->err, PVF_ERR_INVALID_ARG, "hashes[%zu]: 64 hex digits are needed", i);
        }
    }
    if (status == 0) {
        status = pvf_service_active_leaves(
            request->run->service, (const uint8_t(*)[32])hashes, count, request->err);
    }
    if (status == 0) {
        pvf__run_answer_count(request->client, "active_leaves", request->id, "count", count);
    }
    return status;
}

static int do_cancel(struct request *request)
{
    const json_t *target = pvf__run_member(&request->object, "target");
    int status = target == NULL
                     ? pvf__error_set(request->err, PVF_ERR_INVALID_ARG, "target is missing")
                     : check_id(target, "target", request->err);
    if (status == 0) {
        status = pvf__run_no_more(&request->object);
    }
    if (status == 0) {
        const struct pvf__run_job *job = find(request->client, target);
        bool found = job != NULL && pvf_service_cancel(request->run->service, job->request);
        pvf__run_answer_flag(request->client, "cancel", request->id, "found", found);
    }
    return status;
}

static int do_stats(struct request *request)
{
    int status = pvf__run_no_more(&request->object);
    if (status == 0) {
        pvf__run_answer_stats(request->run, request->client, request->id);
    }
    return status;
}

static int do_shutdown(struct request *request)
{
    bool now = false;
    int status = pvf__run_bool(&request->object, "now", &now);
    if (status == 0) {
        status = pvf__run_no_more(&request->object);
    }
    if (status == 0) {
        pvf__run_answer_flag(request->client, "shutdown", request->id, "now", now);
        pvf__run_end(request->run, !now);
    }
    return status;
}

/* ---- Lines ---- */

static const struct {
    const char *name;
    int (*work)(struct request *request);
} operations[] = {
    {"precheck", do_precheck},
    {"execute", do_execute},
    {"heads_up", do_heads_up},
    {"active_leaves", do_active_leaves},
    {"cancel", do_cancel},
    {"stats", do_stats},
    {"shutdown", do_shutdown},
};

static int dispatch(struct request *request)
{
    json_t *op = pvf__run_member(&request->object, "op");
    json_t *id = pvf__run_member(&request->object, "id");
    const char *name = json_string_value(op);
    int status = id != NULL ? check_id(id, "id", request->err) : 0;
    if (status != 0) {
        return status;
    }
    request->id = id;
    if (name == NULL) {
        return pvf__error_set(request->err, PVF_ERR_INVALID_ARG, "op, a text, is missing");
    }
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(name, operations[i].name) == 0) {
            return operations[i].work(request);
        }
    }
    return pvf__error_set(
        request->err, PVF_ERR_INVALID_ARG, "op: there is no operation \"%.60s\"", name);
}

void pvf__run_request(struct pvf__run *run,
                      struct pvf__run_client *client,
                      const char *line,
                      size_t len)
{
    json_error_t where;
    pvf_error err = PVF_ERROR_INIT;
    json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
    struct request request = {
        .run = run, .client = client, .object = {.json = json, .err = &err}, .err = &err};
    int status;
    if (json == NULL) {
        status = pvf__error_set(
            &err, PVF_ERR_MALFORMED, "no JSON at column %d: %s", where.column, where.text);
    } else if (!json_is_object(json)) {
        status = pvf__error_set(&err, PVF_ERR_MALFORMED, "no JSON object");
    } else {
        status = dispatch(&request);
    }
    if (status != 0) {
        pvf__run_answer_error(client, request.id, client->line, &err);
    }
    json_decref(json);
}
