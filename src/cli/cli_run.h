/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_RUN_H
#define PVF_CLI_CLI_RUN_H

#include "base/buf.h"
#include "base/json_out.h"
#include "cli/cli_input.h"
#include "cli/cli_listen.h"
#include "cli/cli_metrics_http.h"
#include "cli/cli_workers.h"
#include "pvf/service.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `pvf run …`, with a command line of its own; argv[0] is "run".  The exit code. */
int pvf__cli_run_main(int argc, char **argv);

/* The version of the protocol in docs/run-protocol.md. */
#define PVF__RUN_PROTOCOL 1u

/* A line: the largest code and PoV in hex fit with room to spare. */
#define PVF__RUN_LINE_MAX ((size_t)64 << 20)

/* Answers that a client has not read: above the first nothing more is read from it. */
#define PVF__RUN_OUT_HIGH ((size_t)1 << 20)
#define PVF__RUN_OUT_MAX ((size_t)512 << 20)

#define PVF__RUN_CLIENTS_MAX 32u
#define PVF__RUN_ID_MAX 256u

struct pvf__run_options {
    const char *listen; /* NULL: standard input and output */
    const char *metrics;
    const char *cache;
    const char *workers;
    const char *evidence;
    uint64_t evidence_max;
    uint64_t cache_max;
    uint64_t copied_max;
    const char *node_version;
    bool secure;
    bool cancel_spares; /* else as the library does by default */
    bool first_tier;
    bool plain_protocol;
    int32_t policy;
    int32_t log_level;
    bool log_json;
    uint32_t prepare_workers;
    uint32_t execute_workers;
    uint32_t max_live;
    uint32_t compile_threads;
};

/* As pvf__cli_options_parse. */
PVF__NODISCARD int pvf__run_options_parse(int argc, char **argv, struct pvf__run_options *ret);

/*
 * As process 1: goes on in a child, and returns the exit code when that has ended.  -1: go on here,
 * which is the child, or no process 1.
 */
PVF__NODISCARD int pvf__run_init(void);

/* Sends the library's log to standard error; the options must live as long as the process. */
void pvf__run_log_setup(struct pvf__run_options *options);

struct pvf__run;
struct pvf__run_client;

/* A precheck or an execution that lives; owned by its client, and by the service's callback. */
struct pvf__run_job {
    struct pvf__run *run;
    struct pvf__run_client *client; /* NULL: it has gone, nobody wants the answer */
    struct pvf__run_job *next;      /* of the same client */
    json_t *id;                     /* owned */
    pvf_request_id request;
    bool with_result;
};

/* Who sends requests: the program's standard input, or a connection. */
struct pvf__run_client {
    bool used;
    int in;
    int out;
    bool is_socket;
    bool input_ended;
    bool gone;     /* nothing can be written any more */
    bool skipping; /* the rest of a line that was too long */
    uint64_t line; /* lines begun so far */
    struct pvf__buf input;
    size_t input_at; /* bytes of `input` that were dealt with */
    size_t scanned;  /* from there on, bytes without the end of a line */
    struct pvf__buf output;
    size_t output_at;
    struct pvf__run_job *jobs;
    uint32_t live;
};

enum pvf__run_stage {
    PVF__RUN_OPEN,
    PVF__RUN_ENDING,     /* orderly: what lives is finished */
    PVF__RUN_ENDING_NOW, /* it is cancelled */
};

struct pvf__run {
    struct pvf__run_options options;
    struct pvf__cli_workers workers;
    pvf_service *service;
    struct pvf__cli_metrics_http *metrics;
    struct pvf__cli_listen listen;
    int signals;
    enum pvf__run_stage stage;
    uint64_t give_up_ns; /* PVF__RUN_ENDING_NOW: until then answers may be read */
    bool output_lost;    /* standard output cannot be written */
    struct pvf__run_client clients[PVF__RUN_CLIENTS_MAX];
};

/* No more requests; "at once" may follow "orderly". */
void pvf__run_end(struct pvf__run *run, bool orderly);

/* ---- Clients (cli_run_client.c) ---- */

/* Takes over both descriptors, which may be the same; false when there are too many. */
PVF__NODISCARD bool pvf__run_client_add(struct pvf__run *run, int in, int out, bool is_socket);

/* May more of its lines be read and dealt with? */
bool pvf__run_client_wants_input(const struct pvf__run *run, const struct pvf__run_client *client);
bool pvf__run_client_has_output(const struct pvf__run_client *client);

/* Has it sent something that was not looked at yet? */
bool pvf__run_client_has_input(const struct pvf__run_client *client);

/* After poll said so: reads once. */
void pvf__run_client_read(struct pvf__run_client *client);

/* Deals with whole lines as long as it may. */
void pvf__run_client_work(struct pvf__run *run, struct pvf__run_client *client);

/* Writes what can be written without waiting. */
void pvf__run_client_flush(struct pvf__run_client *client);

/* Cancels the jobs of one that has gone, and closes one that is done. */
void pvf__run_client_tidy(struct pvf__run *run, struct pvf__run_client *client);
void pvf__run_client_close(struct pvf__run_client *client);

/* ---- Requests (cli_run_request.c) ---- */

/* One line of a client, without its end. */
void pvf__run_request(struct pvf__run *run,
                      struct pvf__run_client *client,
                      const char *line,
                      size_t len);

/* Frees it and takes it from its client. */
void pvf__run_job_end(struct pvf__run_job *job);

/* ---- Members of requests (cli_run_member.c) ---- */

/* One request's object: what was asked for is marked, so that the rest can be complained about. */
struct pvf__run_object {
    json_t *json;
    const char *known[32];
    size_t known_count;
    pvf_error *err;
};

/* NULL when it is not there; marks it as known. */
json_t *pvf__run_member(struct pvf__run_object *object, const char *key);

/* Each leaves *ret alone when the member is not there. */
PVF__NODISCARD int
pvf__run_number(struct pvf__run_object *object, const char *key, uint64_t max, uint64_t *ret);
PVF__NODISCARD int pvf__run_bool(struct pvf__run_object *object, const char *key, bool *ret);
PVF__NODISCARD int
pvf__run_hash(struct pvf__run_object *object, const char *key, uint8_t out[32], bool *ret_given);

/* The index of a text in `words`, which NULL ends. */
PVF__NODISCARD int pvf__run_word(struct pvf__run_object *object,
                                 const char *key,
                                 const char *const *words,
                                 int32_t *ret);

/* {"path": …}, {"hex": …} or {"base64": …}, appended to `buf`; PVF_ERR_INVALID_ARG without it. */
PVF__NODISCARD int
pvf__run_bytes(struct pvf__run_object *object, const char *key, struct pvf__buf *buf);

/* After all others: any member that none of them asked for is a fault. */
PVF__NODISCARD int pvf__run_no_more(struct pvf__run_object *object);

/* ---- Answers (cli_run_answer.c) ---- */

void pvf__run_answer_ready(struct pvf__run *run, struct pvf__run_client *client);

/* `id` may be NULL.  `line` 0: the answer is about no line. */
void pvf__run_answer_error(struct pvf__run_client *client,
                           const json_t *id,
                           uint64_t line,
                           const pvf_error *err);
void pvf__run_answer_precheck(struct pvf__run_job *job, const pvf_precheck_reply *reply);
void pvf__run_answer_execute(struct pvf__run_job *job, const pvf_execute_reply *reply);
void pvf__run_answer_stats(struct pvf__run *run, struct pvf__run_client *client, const json_t *id);

/* {"type": …, "id": …, key: value} */
void pvf__run_answer_count(struct pvf__run_client *client,
                           const char *type,
                           const json_t *id,
                           const char *key,
                           uint64_t value);
void pvf__run_answer_flag(struct pvf__run_client *client,
                          const char *type,
                          const json_t *id,
                          const char *key,
                          bool value);

#endif
