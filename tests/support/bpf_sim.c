/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the simulated machine; an instruction that it does not know is invalid, never ignored. */
#include "support/bpf_sim.h"

#include <stdlib.h>
#include <string.h>

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define AND (BPF_ALU | BPF_AND | BPF_K)
#define ANSWER (BPF_RET | BPF_K)

static bool is_jump(uint16_t code)
{
    return code == (BPF_JMP | BPF_JEQ | BPF_K) || code == (BPF_JMP | BPF_JGE | BPF_K) ||
           code == (BPF_JMP | BPF_JGT | BPF_K) || code == (BPF_JMP | BPF_JSET | BPF_K);
}

static bool is_sound(const struct sock_filter *code, size_t at, size_t count)
{
    size_t left = count - at - 1; /* instructions behind this one */
    if (code[at].code == LOAD) {
        return left > 0 && code[at].k % 4 == 0 && code[at].k < sizeof(struct seccomp_data);
    }
    if (is_jump(code[at].code)) {
        return code[at].jt < left && code[at].jf < left;
    }
    if (code[at].code == AND) {
        return left > 0;
    }
    return code[at].code == ANSWER;
}

bool bpf_sim_is_valid(const struct sock_filter *code, size_t count, size_t *ret_fault)
{
    if (count == 0 || count > BPF_MAXINSNS) {
        *ret_fault = count;
        return false;
    }
    for (size_t at = 0; at < count; at++) {
        if (!is_sound(code, at, count)) {
            *ret_fault = at;
            return false;
        }
    }
    return true;
}

static bool holds(const struct sock_filter *code, uint32_t accumulator)
{
    switch (BPF_OP(code->code)) {
    case BPF_JEQ:
        return accumulator == code->k;
    case BPF_JGE:
        return accumulator >= code->k;
    case BPF_JGT:
        return accumulator > code->k;
    case BPF_JSET:
        return (accumulator & code->k) != 0;
    default:
        abort();
    }
}

uint32_t bpf_sim_run(const struct sock_filter *code, size_t count, const struct seccomp_data *data)
{
    uint32_t accumulator = 0;
    for (size_t at = 0; at < count; at++) {
        if (code[at].code == ANSWER) {
            return code[at].k;
        }
        if (code[at].code == LOAD) {
            memcpy(&accumulator, (const uint8_t *)data + code[at].k, sizeof(accumulator));
        } else if (code[at].code == AND) {
            accumulator &= code[at].k;
        } else {
            at += holds(&code[at], accumulator) ? code[at].jt : code[at].jf;
        }
    }
    abort(); /* a valid program ends in an answer */
}
