/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the translation of the policy into a program of the kernel's classic BPF.  Each call is a
 * block of its own that ends in an answer, so that no jump leaves its block; the end of the
 * program, and of whatever was forgotten, is the end of the process.
 */
#include "sandbox/seccomp_filter.h"

#include "base/error.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

/* Numbers from here on are the x32 variant of x86-64, under the same architecture. */
#define X32_FIRST 0x40000000u

/* Instructions of one block; jumps inside it fit in 8 bits. */
#define BLOCK_MAX 64

/* A jump's target that is not known yet: the answer for an unmet demand. */
#define UNMET 0xff

/* A demand's values, with room for those that come from the facts. */
#define FACTS_MAX 3

struct program {
    struct sock_filter *out;
    size_t max;
    size_t count; /* goes on beyond max, so that one check at the end is enough */
};

struct block {
    struct sock_filter code[BLOCK_MAX];
    size_t count; /* as above */
};

static void put(struct program *program, struct sock_filter instruction)
{
    if (program->count < program->max) {
        program->out[program->count] = instruction;
    }
    program->count++;
}

static void add(struct block *block, struct sock_filter instruction)
{
    if (block->count < BLOCK_MAX) {
        block->code[block->count] = instruction;
    }
    block->count++;
}

static struct sock_filter load(size_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter jump(uint16_t test, uint32_t value, size_t met, size_t unmet)
{
    return (struct sock_filter)BPF_JUMP(
        (uint16_t)(BPF_JMP | test | BPF_K), value, (uint8_t)met, (uint8_t)unmet);
}

static struct sock_filter answer(uint32_t action)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

/* Both architectures are little-endian: the low half of an argument stands first. */
static size_t low_half(unsigned arg)
{
    return offsetof(struct seccomp_data, args) + sizeof(uint64_t) * arg;
}

static size_t high_half(unsigned arg)
{
    return low_half(arg) + sizeof(uint32_t);
}

static void add_one_of(struct block *block, const uint32_t *values, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        add(block, jump(BPF_JEQ, values[i], count - 1 - i, 0));
    }
    add(block, jump(BPF_JEQ, values[count - 1], 0, UNMET));
}

/* Goes on behind the demand when it is met. */
static void add_demand(struct block *block,
                       const struct pvf__seccomp_demand *demand,
                       const struct pvf__seccomp_facts *facts)
{
    if (demand->test == PVF__SECCOMP_ALWAYS) {
        return;
    }
    add(block, load(high_half(demand->arg)));
    add(block, jump(BPF_JEQ, 0, 0, UNMET));
    add(block, load(low_half(demand->arg)));
    switch (demand->test) {
    case PVF__SECCOMP_ONE_OF:
        add_one_of(block, demand->values, demand->count);
        break;
    case PVF__SECCOMP_WITHIN:
        add(block, jump(BPF_JSET, ~demand->values[0], UNMET, 0));
        break;
    case PVF__SECCOMP_NOT_ALL:
        add(block, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, demand->values[0]));
        add(block, jump(BPF_JEQ, demand->values[0], UNMET, 0));
        break;
    case PVF__SECCOMP_IS_FD: {
        const uint32_t values[FACTS_MAX] = {1, 2, (uint32_t)facts->pipe_fd};
        add_one_of(block, values, FACTS_MAX);
        break;
    }
    case PVF__SECCOMP_IS_INPUT: {
        const uint32_t input = (uint32_t)facts->input_fd;
        add_one_of(block, &input, 1);
        break;
    }
    case PVF__SECCOMP_IS_SELF: {
        const uint32_t self = (uint32_t)facts->self;
        add_one_of(block, &self, 1);
        break;
    }
    case PVF__SECCOMP_ALWAYS:
    default:
        break;
    }
}

/* The last instruction of a block with demands is the answer for an unmet one. */
static void aim_jumps(struct block *block)
{
    for (size_t at = 0; at < block->count; at++) {
        struct sock_filter *code = &block->code[at];
        uint8_t last = (uint8_t)(block->count - 1 - at - 1);
        if (BPF_CLASS(code->code) == BPF_JMP) {
            code->jt = code->jt == UNMET ? last : code->jt;
            code->jf = code->jf == UNMET ? last : code->jf;
        }
    }
}

static int put_call(struct program *program,
                    const struct pvf__seccomp_call *call,
                    int32_t number,
                    enum pvf__seccomp_rule rule,
                    const struct pvf__seccomp_facts *facts,
                    pvf_error *err)
{
    const struct pvf__seccomp_meaning *meaning = pvf__seccomp_meaning(rule);
    struct block block = {.count = 0};
    for (size_t i = 0; i < PVF__SECCOMP_DEMANDS; i++) {
        add_demand(&block, &meaning->demands[i], facts);
    }
    bool has_demands = block.count > 0;
    add(&block, answer(meaning->action));
    if (has_demands) {
        add(&block, answer(meaning->otherwise));
    }
    if (block.count > BLOCK_MAX) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "the filter's block for %s has more than %d instructions",
                              call->name,
                              BLOCK_MAX);
    }
    aim_jumps(&block);
    put(program, jump(BPF_JEQ, (uint32_t)number, 0, block.count));
    for (size_t i = 0; i < block.count; i++) {
        put(program, block.code[i]);
    }
    return 0;
}

static int put_calls(struct program *program,
                     const struct pvf__seccomp_call *calls,
                     size_t count,
                     enum pvf__seccomp_role role,
                     enum pvf__seccomp_arch arch,
                     const struct pvf__seccomp_facts *facts,
                     pvf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        int32_t number = calls[i].number[arch];
        enum pvf__seccomp_rule rule = calls[i].rule[role];
        if (number == PVF__SECCOMP_ABSENT || rule == PVF__SECCOMP_NO) {
            continue;
        }
        int status = put_call(program, &calls[i], number, rule, facts, err);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

static void put_start(struct program *program, enum pvf__seccomp_arch arch)
{
    bool x86_64 = arch == PVF__SECCOMP_X86_64;
    put(program, load(offsetof(struct seccomp_data, arch)));
    put(program, jump(BPF_JEQ, x86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64, 1, 0));
    put(program, answer(SECCOMP_RET_KILL_PROCESS));
    put(program, load(offsetof(struct seccomp_data, nr)));
    if (x86_64) {
        put(program, jump(BPF_JGE, X32_FIRST, 0, 1));
        put(program, answer(SECCOMP_RET_KILL_PROCESS));
    }
}

int pvf__seccomp_build_for(bool for_sanitizer,
                           enum pvf__seccomp_role role,
                           enum pvf__seccomp_arch arch,
                           const struct pvf__seccomp_facts *facts,
                           struct sock_filter *out,
                           size_t max,
                           size_t *ret_count,
                           pvf_error *err)
{
    static const struct pvf__seccomp_facts none = {.pipe_fd = 1, .input_fd = -1};
    bool job = role == PVF__SECCOMP_PREPARE_JOB || role == PVF__SECCOMP_EXECUTE_JOB;
    if (job && (facts == NULL || facts->pipe_fd < 0 || facts->self <= 0)) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "a job's filter needs its pipe and its process id");
    }
    facts = facts != NULL ? facts : &none;
    struct program program = {.out = out, .max = max};
    put_start(&program, arch);
    int status = 0;
    if (for_sanitizer) {
        status = put_calls(&program,
                           pvf__seccomp_sanitizer_calls,
                           pvf__seccomp_sanitizer_calls_count,
                           role,
                           arch,
                           facts,
                           err);
    }
    if (status == 0) {
        status = put_calls(
            &program, pvf__seccomp_calls, pvf__seccomp_calls_count, role, arch, facts, err);
    }
    if (status != 0) {
        return status;
    }
    put(&program, answer(SECCOMP_RET_KILL_PROCESS));
    if (program.count > max) {
        return pvf__error_set(
            err, PVF_ERR_LIMIT, "the filter has %zu instructions, at most %zu", program.count, max);
    }
    *ret_count = program.count;
    return 0;
}

int pvf__seccomp_build(enum pvf__seccomp_role role,
                       enum pvf__seccomp_arch arch,
                       const struct pvf__seccomp_facts *facts,
                       struct sock_filter *out,
                       size_t max,
                       size_t *ret_count,
                       pvf_error *err)
{
    return pvf__seccomp_build_for(false, role, arch, facts, out, max, ret_count, err);
}
