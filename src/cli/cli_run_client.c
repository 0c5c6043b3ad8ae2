/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: bytes from and to clients, in lines.  Nothing here waits: what a client does not read stays
 * here, and then no more is read from it.
 */
#include "base/error.h"
#include "cli/cli_run.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_STEP 65536u

bool pvf__run_client_add(struct pvf__run *run, int in, int out, bool is_socket)
{
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        struct pvf__run_client *client = &run->clients[i];
        if (!client->used) {
            *client = (struct pvf__run_client){
                .used = true, .in = in, .out = out, .is_socket = is_socket};
            /* One byte more than a line, so that one that is too long is met as such. */
            pvf__buf_init(&client->input, PVF__RUN_LINE_MAX + READ_STEP);
            pvf__buf_init(&client->output, PVF__RUN_OUT_MAX);
            pvf__run_answer_ready(run, client);
            return true;
        }
    }
    return false;
}

bool pvf__run_client_has_output(const struct pvf__run_client *client)
{
    return !client->gone && client->output_at < client->output.len;
}

bool pvf__run_client_wants_input(const struct pvf__run *run, const struct pvf__run_client *client)
{
    return run->stage == PVF__RUN_OPEN && !client->gone && client->live < run->options.max_live &&
           client->output.len - client->output_at < PVF__RUN_OUT_HIGH;
}

bool pvf__run_client_has_input(const struct pvf__run_client *client)
{
    size_t have = client->input.len - client->input_at;
    return have > (client->input_ended ? 0 : client->scanned);
}

void pvf__run_client_read(struct pvf__run_client *client)
{
    struct pvf__buf *input = &client->input;
    if (client->input_at > 0) {
        memmove(input->data, input->data + client->input_at, input->len - client->input_at);
        input->len -= client->input_at;
        client->input_at = 0;
    }
    if (pvf__buf_reserve(input, READ_STEP) != 0) {
        client->gone = true;
        return;
    }
    ssize_t got = read(client->in, input->data + input->len, READ_STEP);
    if (got > 0) {
        input->len += (size_t)got;
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        /* An error is the end too; what came before it counts. */
        client->input_ended = true;
    }
}

static void too_long(struct pvf__run_client *client)
{
    pvf_error err = PVF_ERROR_INIT;
    (void)pvf__error_set(
        &err, PVF_ERR_LIMIT, "the line has more than %zu bytes", PVF__RUN_LINE_MAX);
    pvf__run_answer_error(client, NULL, client->line, &err);
}

/* The next whole line; the last one may lack its end. */
static bool next_line(struct pvf__run_client *client, const char **ret, size_t *ret_len)
{
    struct pvf__buf *input = &client->input;
    size_t have = input->len - client->input_at;
    if (have == 0) {
        return false;
    }
    const uint8_t *start = input->data + client->input_at;
    const uint8_t *newline = memchr(start + client->scanned, '\n', have - client->scanned);
    if (newline == NULL && !client->input_ended) {
        client->scanned = have;
        return false;
    }
    *ret = (const char *)start;
    *ret_len = newline != NULL ? (size_t)(newline - start) : have;
    client->input_at += *ret_len + (newline != NULL ? 1 : 0);
    client->scanned = 0;
    return true;
}

static bool is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr(" \t\r", line[i]) == NULL || line[i] == '\0') {
            return false;
        }
    }
    return true;
}

void pvf__run_client_work(struct pvf__run *run, struct pvf__run_client *client)
{
    const char *line;
    size_t len;
    while (pvf__run_client_wants_input(run, client) && next_line(client, &line, &len)) {
        if (client->skipping) {
            client->skipping = false;
            continue;
        }
        client->line++;
        if (len > PVF__RUN_LINE_MAX) {
            too_long(client);
        } else if (!is_blank(line, len)) {
            pvf__run_request(run, client, line, len);
        }
    }
    if (client->scanned > PVF__RUN_LINE_MAX) {
        /* Its beginning is thrown away, and the rest when it comes. */
        if (!client->skipping) {
            client->line++;
            too_long(client);
        }
        client->skipping = true;
        client->input_at = client->input.len;
        client->scanned = 0;
    }
}

/*
 * A pipe of others must not be made non-blocking.  One that is ready takes PIPE_BUF bytes without
 * waiting.
 */
static ssize_t write_some(const struct pvf__run_client *client, const uint8_t *data, size_t len)
{
    if (client->is_socket) {
        return send(client->out, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    struct pollfd item = {.fd = client->out, .events = POLLOUT};
    if (poll(&item, 1, 0) <= 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(client->out, data, len < PIPE_BUF ? len : PIPE_BUF);
}

/* A slow reader's buffer does not grow by what it has read. */
static void drop_written(struct pvf__run_client *client)
{
    struct pvf__buf *output = &client->output;
    if (client->output_at >= PVF__RUN_OUT_HIGH) {
        memmove(output->data, output->data + client->output_at, output->len - client->output_at);
        output->len -= client->output_at;
        client->output_at = 0;
    }
}

void pvf__run_client_flush(struct pvf__run_client *client)
{
    struct pvf__buf *output = &client->output;
    while (pvf__run_client_has_output(client)) {
        ssize_t done =
            write_some(client, output->data + client->output_at, output->len - client->output_at);
        if (done >= 0) {
            client->output_at += (size_t)done;
        } else if (errno == EAGAIN) {
            drop_written(client);
            return;
        } else if (errno != EINTR) {
            client->gone = true;
        }
    }
    /* Room that one large answer took is given back. */
    if (output->cap > PVF__RUN_OUT_HIGH) {
        pvf__buf_done(output);
    }
    output->len = 0;
    client->output_at = 0;
}

void pvf__run_client_tidy(struct pvf__run *run, struct pvf__run_client *client)
{
    if (client->gone) {
        run->output_lost = run->output_lost || !client->is_socket;
        for (struct pvf__run_job *job = client->jobs; job != NULL; job = job->next) {
            (void)pvf_service_cancel(run->service, job->request);
            job->client = NULL;
        }
        client->jobs = NULL;
        client->live = 0;
    }
    bool done = client->input_ended && client->input_at == client->input.len && client->live == 0 &&
                !pvf__run_client_has_output(client);
    if (client->gone || done) {
        pvf__run_client_close(client);
    }
}

void pvf__run_client_close(struct pvf__run_client *client)
{
    if (client->is_socket) {
        (void)close(client->in);
    }
    pvf__buf_done(&client->input);
    pvf__buf_done(&client->output);
    client->used = false;
}
