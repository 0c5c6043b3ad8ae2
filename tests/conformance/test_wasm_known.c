/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that are known by their bytes do with their head what they do without: the same answers
 * and the same class of failure as in the call-site form, which has no heads, and as a model; for
 * short and long ranges, ranges that meet the memory's end, leave it or wrap, and overlapping ones.
 */
#include "engine/engine_compile.h"
#include "engine/engine_load.h"
#include "engine/engine_run.h"
#include "engine/engine_stack.h"
#include "wasm/wasm_rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES 6000u
#define MEMORY 65536u /* one page; the guest may have no more */
#define INPUT_AT 8u   /* the heap begins at 0, and a header stands in front */
#define HEADER 12u    /* a, b, n */
#define CONTENT 700u

/* What follows the locals of memcmp as compilers of 2021 to 2026 made it. */
static const uint8_t newer[] = {
    0x41, 0x00, 0x21, 0x03, 0x02, 0x40, 0x20, 0x02, 0x45, 0x0d, 0x00, 0x02, 0x40, 0x03, 0x40,
    0x20, 0x00, 0x2d, 0x00, 0x00, 0x22, 0x04, 0x20, 0x01, 0x2d, 0x00, 0x00, 0x22, 0x05, 0x47,
    0x0d, 0x01, 0x20, 0x00, 0x41, 0x01, 0x6a, 0x21, 0x00, 0x20, 0x01, 0x41, 0x01, 0x6a, 0x21,
    0x01, 0x20, 0x02, 0x41, 0x7f, 0x6a, 0x22, 0x02, 0x45, 0x0d, 0x02, 0x0c, 0x00, 0x0b, 0x00,
    0x0b, 0x20, 0x04, 0x20, 0x05, 0x6b, 0x21, 0x03, 0x0b, 0x20, 0x03, 0x0b};
/* In the older one there is no `unreachable` behind the loop. */
#define UNREACHABLE_AT 59u

static const uint8_t head_mark[] = {0x3f, 0x00, 0xad, 0x42, 0x10, 0x86}; /* the memory's bytes */

static void die(const char *why)
{
    (void)fprintf(stderr, "%s\n", why);
    exit(1);
}

static void add(struct pvf__buf *out, const void *data, size_t len)
{
    if (pvf__buf_append(out, data, len) != 0) {
        die("no memory");
    }
}

/* Function 1 is the one in question; validate_block calls it with what the input holds. */
static void make_module(const uint8_t *code, size_t len, struct pvf__buf *out)
{
    static const uint8_t front[] = {
        0x00,
        0x61,
        0x73,
        0x6d,
        0x01,
        0x00,
        0x00,
        0x00,
        /* types: (i32, i32) -> i64, (i32, i32, i32) -> i32; the functions */
        0x01,
        0x0e,
        0x02,
        0x60,
        0x02,
        0x7f,
        0x7f,
        0x01,
        0x7e,
        0x60,
        0x03,
        0x7f,
        0x7f,
        0x7f,
        0x01,
        0x7f,
        0x03,
        0x03,
        0x02,
        0x00,
        0x01,
        /* memory of one page, heap at 0 */
        0x05,
        0x03,
        0x01,
        0x00,
        0x01,
        0x06,
        0x06,
        0x01,
        0x7f,
        0x00,
        0x41,
        0x00,
        0x0b};
    static const char exports[] =
        "\x07\x29\x03\x06memory\x02\x00\x0b__heap_base\x03\x00\x0evalidate_block\x00";
    /* Stores the answer at 0 and returns these 4 bytes. */
    static const uint8_t entry[] = {0x00, 0x41, 0x00, 0x20, 0x00, 0x28, 0x02, 0x00,
                                    0x20, 0x00, 0x28, 0x02, 0x04, 0x20, 0x00, 0x28,
                                    0x02, 0x08, 0x10, 0x01, 0x36, 0x02, 0x00, 0x42,
                                    0x80, 0x80, 0x80, 0x80, 0xc0, 0x00, 0x0b};
    static const uint8_t locals[] = {0x01, 0x03, 0x7f};
    const uint8_t code_front[] = {
        0x0a, (uint8_t)(3 + sizeof(entry) + sizeof(locals) + len), 0x02, (uint8_t)sizeof(entry)};
    const uint8_t body_len = (uint8_t)(sizeof(locals) + len);
    add(out, front, sizeof(front));
    add(out, exports, sizeof(exports));
    add(out, code_front, sizeof(code_front));
    add(out, entry, sizeof(entry));
    add(out, &body_len, 1);
    add(out, locals, sizeof(locals));
    add(out, code, len);
}

static void rewrite(const struct pvf__buf *blob, enum pvf__wasm_form form, struct pvf__buf *out)
{
    struct pvf__wasm_fault fault;
    if (pvf__wasm_rewrite(blob->data, blob->len, 65536, form, out, &fault) != 0) {
        die(fault.text);
    }
}

static bool has_head(const struct pvf__buf *module)
{
    return memmem(module->data, module->len, head_mark, sizeof(head_mark)) != NULL;
}

static struct pvf__engine_module *
load(struct pvf__engine *engine, const struct pvf__buf *blob, enum pvf__wasm_form form)
{
    struct pvf__buf rewritten = PVF__BUF_INIT(1 << 20);
    struct pvf__engine_artifact artifact;
    struct pvf__engine_module *module = NULL;
    pvf_error err = PVF_ERROR_INIT;
    rewrite(blob, form, &rewritten);
    if (has_head(&rewritten) != (form == PVF__WASM_CALLEE)) {
        die("a head stands where none belongs, or none where one does");
    }
    if (pvf__engine_compile(engine, rewritten.data, rewritten.len, &artifact, &err) != 0 ||
        pvf__engine_load_bytes(engine, artifact.data, artifact.len, false, &module, &err) != 0) {
        die(err.text);
    }
    pvf__engine_artifact_done(&artifact);
    pvf__buf_done(&rewritten);
    return module;
}

struct question {
    uint32_t a;
    uint32_t b;
    uint32_t n;
    uint8_t content[CONTENT];
};

struct answer {
    enum pvf__engine_class class;
    int32_t value;
};

static void take(void *context, const uint8_t *data, size_t len)
{
    struct answer *answer = context;
    if (len == sizeof(answer->value)) {
        memcpy(&answer->value, data, len);
    }
}

static struct answer ask(const struct pvf__engine_module *module, const struct question *question)
{
    static struct pvf__engine_outcome outcome;
    const struct pvf__engine_limits limits = {.max_pages = 1, .max_log_level = 1};
    const struct pvf__slice part = {(const uint8_t *)question, sizeof(*question)};
    const struct pvf__engine_input input = {.parts = &part, .count = 1};
    struct answer answer = {.value = 0};
    pvf__engine_run(module, &limits, &input, take, &answer, &outcome);
    answer.class = outcome.class;
    return answer;
}

/* What the guest's memory holds at `at` when the function is called; -1: nothing. */
static int byte_at(const struct question *question, uint64_t at)
{
    const uint8_t *input = (const uint8_t *)question;
    /* Behind the header of the heap's first block: order 7 and the mark of its use. */
    static const uint8_t block[INPUT_AT] = {7, 0, 0, 0, 1, 0, 0, 0};
    if (at < INPUT_AT) {
        return block[at];
    }
    if (at < INPUT_AT + sizeof(*question)) {
        return input[at - INPUT_AT];
    }
    return at < MEMORY ? 0 : -1;
}

static struct answer model(const struct question *question)
{
    for (uint32_t i = 0; i < question->n; i++) {
        const int x = byte_at(question, (uint32_t)(question->a + i));
        const int y = byte_at(question, (uint32_t)(question->b + i));
        if (x < 0 || y < 0) {
            return (struct answer){.class = PVF__ENGINE_INVALID};
        }
        if (x != y) {
            return (struct answer){.class = PVF__ENGINE_OK, .value = x - y};
        }
    }
    return (struct answer){.class = PVF__ENGINE_OK};
}

static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*state >> 33) % below;
}

/* Two equal stretches with at most one difference, somewhere; zeros at the end. */
static void fill(struct question *question, uint64_t *state)
{
    memset(question->content, 0, sizeof(question->content));
    for (uint32_t i = 0; i < 200; i++) {
        question->content[i] = (uint8_t)draw(state, 256);
        question->content[300 + i] = question->content[i];
    }
    if (draw(state, 4) != 0) {
        question->content[draw(state, 600)] ^= (uint8_t)(1 + draw(state, 255));
    }
}

static void place(struct question *question, unsigned kind, uint64_t *state)
{
    const uint32_t content_at = INPUT_AT + HEADER;
    const uint32_t start = draw(state, 100);
    question->n = draw(state, 2) != 0 ? draw(state, 24) : draw(state, 300);
    question->a = content_at + start;
    question->b = content_at + start + (draw(state, 8) != 0 ? 300 : draw(state, 500));
    switch (kind) {
    case 1: /* around the memory's end */
        question->a = MEMORY - draw(state, 40);
        question->b = content_at + 600 + draw(state, 40);
        /* A difference, often before the end is reached. */
        question->content[600 + draw(state, 80)] = 1;
        break;
    case 2:
        question->b = MEMORY - draw(state, 40);
        question->a = question->b - draw(state, 40);
        break;
    case 3: /* around what 32 bits hold */
        question->a = UINT32_MAX - draw(state, 40);
        question->n = draw(state, 3) != 0 ? question->n : UINT32_MAX - draw(state, 40);
        break;
    default:
        break;
    }
    if (draw(state, 2) != 0) {
        const uint32_t swap = question->a;
        question->a = question->b;
        question->b = swap;
    }
}

struct pair {
    const struct pvf__engine_module *with;
    const struct pvf__engine_module *without;
    unsigned outcomes[3]; /* equal, different, trapped */
};

static void compare(void *context)
{
    static struct question question;
    struct pair *pair = context;
    uint64_t state = 1;
    for (unsigned i = 0; i < CASES; i++) {
        fill(&question, &state);
        place(&question, i % 4, &state);
        const struct answer want = model(&question);
        const struct answer with = ask(pair->with, &question);
        const struct answer without = ask(pair->without, &question);
        if (with.class != want.class || with.value != want.value || without.class != want.class ||
            without.value != want.value) {
            (void)fprintf(stderr, "case %u: %u %u %u\n", i, question.a, question.b, question.n);
            die("the forms behave differently");
        }
        pair->outcomes[want.class != PVF__ENGINE_OK ? 2 : want.value != 0]++;
    }
}

static void check(struct pvf__engine *engine, const uint8_t *code, size_t len)
{
    struct pvf__buf blob = PVF__BUF_INIT(1 << 10);
    pvf_error err = PVF_ERROR_INIT;
    make_module(code, len, &blob);
    struct pvf__engine_module *with = load(engine, &blob, PVF__WASM_CALLEE);
    struct pvf__engine_module *without = load(engine, &blob, PVF__WASM_CALL_SITE);
    struct pair pair = {.with = with, .without = without};
    const size_t stack = pvf__engine_stack_size(PVF__ENGINE_NATIVE_STACK_DEFAULT);
    if (pvf__engine_on_big_stack(compare, &pair, stack, &err) != 0) {
        die(err.text);
    }
    pvf__engine_module_delete(with);
    pvf__engine_module_delete(without);
    pvf__buf_done(&blob);
    (void)printf("%u equal, %u different, %u trapped\n",
                 pair.outcomes[0],
                 pair.outcomes[1],
                 pair.outcomes[2]);
    for (size_t i = 0; i < 3; i++) {
        if (pair.outcomes[i] < CASES / 20) {
            die("too few cases of a kind");
        }
    }
}

/* With any one byte changed it is another function, or none. */
static void check_that_every_byte_counts(void)
{
    for (size_t i = 0; i < sizeof(newer); i++) {
        uint8_t changed[sizeof(newer)];
        memcpy(changed, newer, sizeof(newer));
        changed[i] ^= 1;
        struct pvf__buf blob = PVF__BUF_INIT(1 << 10);
        struct pvf__buf rewritten = PVF__BUF_INIT(1 << 20);
        struct pvf__wasm_fault fault;
        make_module(changed, sizeof(changed), &blob);
        if (pvf__wasm_rewrite(blob.data, blob.len, 65536, PVF__WASM_CALLEE, &rewritten, &fault) ==
                0 &&
            has_head(&rewritten)) {
            die("a function that is not the known one got its head");
        }
        pvf__buf_done(&blob);
        pvf__buf_done(&rewritten);
    }
}

int main(void)
{
    const struct pvf__engine_settings settings = {
        .native_stack_max = PVF__ENGINE_NATIVE_STACK_DEFAULT, .compile_threads = 1};
    struct pvf__engine *engine;
    pvf_error err = PVF_ERROR_INIT;
    uint8_t older[sizeof(newer) - 1];
    memcpy(older, newer, UNREACHABLE_AT);
    memcpy(older + UNREACHABLE_AT, newer + UNREACHABLE_AT + 1, sizeof(newer) - UNREACHABLE_AT - 1);
    if (pvf__engine_new(&settings, &engine, &err) != 0) {
        die(err.text);
    }
    check(engine, newer, sizeof(newer));
    check(engine, older, sizeof(older));
    check_that_every_byte_counts();
    pvf__engine_delete(engine);
    return 0;
}
