/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the engine's messages.  They may hold names chosen by the guest: nothing here depends on
 * what they say, and everything is cut to the reader's buffer.
 */
#include "engine/engine_text.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEADING "\n\nCaused by:\n"
#define HEADING_LEN (sizeof(HEADING) - 1)

/* Texts are put together in a piece of this size before they are cut to the reader's. */
#define SCRATCH 4096

/* A bounded writer: what does not fit is dropped, the text stays terminated. */
struct sink {
    char *at;
    size_t left; /* with the terminator */
};

static void put(struct sink *sink, const char *text, size_t len)
{
    if (sink->left == 0) {
        return;
    }
    if (len > sink->left - 1) {
        len = sink->left - 1;
    }
    memcpy(sink->at, text, len);
    sink->at += len;
    sink->left -= len;
    *sink->at = '\0';
}

/* The length of "    0: " or "    " at the start of a cause's line; 0: the line goes on a cause. */
static size_t cause_prefix(const char *line, size_t len)
{
    size_t at = 0;
    while (at < len && line[at] == ' ') {
        at++;
    }
    size_t digits = at;
    while (digits < len && line[digits] >= '0' && line[digits] <= '9') {
        digits++;
    }
    if (digits > at && digits + 1 < len && line[digits] == ':' && line[digits + 1] == ' ' &&
        digits == 5) {
        return digits + 2;
    }
    return at >= 4 ? 4 : 0;
}

/* The end of the line that starts at `at`, without its newline. */
static size_t line_end(const char *text, size_t len, size_t at)
{
    const char *newline = memchr(text + at, '\n', len - at);
    return newline == NULL ? len : (size_t)(newline - text);
}

/* Where the causes start, or `len` when there are none; *ret_head is the length before them. */
static size_t find_causes(const char *message, size_t len, size_t *ret_head)
{
    const char *heading = memmem(message, len, HEADING, HEADING_LEN);
    if (heading == NULL) {
        *ret_head = len;
        return len;
    }
    *ret_head = (size_t)(heading - message);
    return *ret_head + HEADING_LEN;
}

void pvf__text_flatten(const char *message, size_t len, char *out, size_t size)
{
    struct sink sink = {out, size};
    size_t head = 0;
    size_t at = find_causes(message, len, &head);
    put(&sink, message, head);
    while (at < len) {
        size_t end = line_end(message, len, at);
        size_t prefix = cause_prefix(message + at, end - at);
        if (end > at) {
            put(&sink, prefix > 0 ? ": " : "\n", prefix > 0 ? 2 : 1);
            put(&sink, message + at + prefix, end - at - prefix);
        }
        at = end + 1;
    }
}

void pvf__text_split(
    const char *message, size_t len, char *out, size_t size, char *head, size_t head_size)
{
    struct sink head_sink = {head, head_size};
    size_t head_len = 0;
    size_t at = find_causes(message, len, &head_len);
    put(&head_sink, message, at == len ? 0 : head_len);
    /* The last line of its own is the root; before any cause it is the message. */
    size_t root = 0;
    size_t root_end = head_len;
    while (at < len) {
        size_t end = line_end(message, len, at);
        size_t prefix = cause_prefix(message + at, end - at);
        if (end > at && prefix > 0) {
            root = at + prefix;
        }
        if (end > at) {
            root_end = end;
        }
        at = end + 1;
    }
    struct sink sink = {out, size};
    put(&sink, message + root, root_end - root);
}

static size_t name_len(const wasm_name_t *name)
{
    /* The engine ends some of its messages with a zero and some not. */
    return name->size > 0 && name->data[name->size - 1] == '\0' ? name->size - 1 : name->size;
}

static void with_context(const char *context, wasm_name_t *message, char *out, size_t size)
{
    struct sink sink = {out, size};
    put(&sink, context, strlen(context));
    put(&sink, ": ", 2);
    pvf__text_flatten(message->data, name_len(message), sink.at, sink.left);
    wasm_name_delete(message);
}

void pvf__text_from_error(const char *context, wasmtime_error_t *error, char *out, size_t size)
{
    wasm_name_t message;
    wasmtime_error_message(error, &message);
    wasmtime_error_delete(error);
    with_context(context, &message, out, size);
}

void pvf__text_from_trap(const char *context, wasm_trap_t *trap, char *out, size_t size)
{
    wasm_name_t message;
    wasm_trap_message(trap, &message);
    wasm_trap_delete(trap);
    with_context(context, &message, out, size);
}

/*
 * A stack that is used up has millions of frames, and an engine that writes them all out would
 * use more memory than the guest may.
 */
static bool is_stack_overflow(const wasm_trap_t *trap)
{
    wasmtime_trap_code_t code;
    return trap != NULL && wasmtime_trap_code(trap, &code) &&
           code == WASMTIME_TRAP_CODE_STACK_OVERFLOW;
}

void pvf__text_abort(wasmtime_error_t *error, wasm_trap_t *trap, char *out, size_t size)
{
    char cause[SCRATCH / 2] = "wasm trap: call stack exhausted";
    char backtrace[SCRATCH / 2] = "(not recorded)";
    if (!is_stack_overflow(trap)) {
        wasm_name_t message;
        if (trap != NULL) {
            wasm_trap_message(trap, &message);
        } else {
            wasmtime_error_message(error, &message);
        }
        backtrace[0] = '\0';
        pvf__text_split(
            message.data, name_len(&message), cause, sizeof(cause), backtrace, sizeof(backtrace));
        wasm_name_delete(&message);
    }
    if (trap != NULL) {
        wasm_trap_delete(trap);
    }
    if (error != NULL) {
        wasmtime_error_delete(error);
    }
    (void)snprintf(
        out, size, "Execution aborted due to trap: %s\nWASM backtrace:\n%s\n", cause, backtrace);
}

int pvf__text_to_err(pvf_error *err, int code, const char *context, wasmtime_error_t *error)
{
    char text[sizeof(err->text)];
    pvf__text_from_error(context, error, text, sizeof(text));
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = ' ';
        }
    }
    return pvf__error_set(err, code, "%s", text);
}
