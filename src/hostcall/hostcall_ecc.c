/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the interface of RFC-163, curve operations.  Trusts the provider. */
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

#include <string.h>

/* The largest result: an element of Fq12 of BLS12-381.  A guest's buffer may be longer. */
#define RESULT_MAX 576U

static int run(struct pvf__hostcall_context *context,
               enum pvf__provider_curve op,
               struct pvf__slice a,
               struct pvf__slice b,
               uint8_t *out,
               size_t out_len,
               int *ret_code)
{
    int code = context->provider->curve((unsigned)op, a.data, a.len, b.data, b.len, out, out_len);
    if (code < 0) {
        return pvf__marshal_panic(
            context,
            op == PVF__PROVIDER_BLS12_381_MULTI_MILLER_LOOP
                ? "itertools: .zip_eq() reached end of one iterator before the other"
                : "the curve operation failed");
    }
    *ret_code = code;
    return 0;
}

struct operation {
    const char *function;
    const char *names[2]; /* of the two inputs */
    enum pvf__provider_curve op;
};

/*
 * Two inputs and a buffer that is only written: all of it, and with zeros behind the result or
 * when there is none.  The buffer's range is looked at before the work instead of after: it cannot
 * change in between, and either way the call traps and leaves nothing.
 */
static int two_inputs(struct pvf__hostcall_context *context,
                      const struct operation *operation,
                      const uint64_t *args,
                      uint64_t *ret)
{
    const struct pvf__frame frame = {context, "HostCalls", operation->function};
    struct pvf__slice a;
    struct pvf__slice b;
    uint8_t *target;
    if (pvf__marshal_fat(&frame, operation->names[0], args[0], &a) != 0 ||
        pvf__marshal_fat(&frame, operation->names[1], args[1], &b) != 0 ||
        pvf__marshal_writable(context, args[2], &target) != 0) {
        return -1;
    }
    size_t len = (size_t)(args[2] >> 32);
    size_t used = len < RESULT_MAX ? len : RESULT_MAX;
    uint8_t out[RESULT_MAX] = {0};
    int code = 0;
    if (run(context, operation->op, a, b, out, used, &code) != 0) {
        return -1;
    }
    if (code != 0) {
        used = 0;
    }
    if (len > 0) {
        memcpy(target, out, used);
        memset(target + used, 0, len - used);
    }
    *ret = (uint32_t)code;
    return 0;
}

/* One buffer, read and written; unchanged unless the code is 0. */
int pvf__hostcall_ecc_bls12_381_final_exponentiation(struct pvf__hostcall_context *context,
                                                     const uint64_t *args,
                                                     uint64_t *ret)
{
    const struct pvf__frame frame = {context, "HostCalls", "bls12_381_final_exponentiation"};
    struct pvf__slice in;
    uint8_t *target;
    if (pvf__marshal_fat(&frame, "in_out", args[0], &in) != 0 ||
        pvf__marshal_writable(context, args[0], &target) != 0) {
        return -1;
    }
    const struct pvf__slice none = {NULL, 0};
    size_t used = in.len < RESULT_MAX ? in.len : RESULT_MAX;
    uint8_t out[RESULT_MAX] = {0};
    int code = 0;
    if (run(context, PVF__PROVIDER_BLS12_381_FINAL_EXPONENTIATION, in, none, out, used, &code) !=
        0) {
        return -1;
    }
    if (code == 0 && used > 0) {
        memcpy(target, out, used);
    }
    *ret = (uint32_t)code;
    return 0;
}

int pvf__hostcall_ecc_bls12_381_multi_miller_loop(struct pvf__hostcall_context *context,
                                                  const uint64_t *args,
                                                  uint64_t *ret)
{
    static const struct operation operation = {
        "bls12_381_multi_miller_loop", {"g1", "g2"}, PVF__PROVIDER_BLS12_381_MULTI_MILLER_LOOP};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_bls12_381_msm_g1(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    static const struct operation operation = {
        "bls12_381_msm_g1", {"bases", "scalars"}, PVF__PROVIDER_BLS12_381_MSM_G1};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_bls12_381_msm_g2(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    static const struct operation operation = {
        "bls12_381_msm_g2", {"bases", "scalars"}, PVF__PROVIDER_BLS12_381_MSM_G2};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_bls12_381_mul_g1(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    static const struct operation operation = {
        "bls12_381_mul_g1", {"base", "scalar"}, PVF__PROVIDER_BLS12_381_MUL_G1};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_bls12_381_mul_g2(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    static const struct operation operation = {
        "bls12_381_mul_g2", {"base", "scalar"}, PVF__PROVIDER_BLS12_381_MUL_G2};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_bandersnatch_msm(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    static const struct operation operation = {
        "ed_on_bls12_381_bandersnatch_msm", {"bases", "scalars"}, PVF__PROVIDER_BANDERSNATCH_MSM};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_bandersnatch_mul(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    static const struct operation operation = {
        "ed_on_bls12_381_bandersnatch_mul", {"base", "scalar"}, PVF__PROVIDER_BANDERSNATCH_MUL};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_pallas_msm(struct pvf__hostcall_context *context,
                                 const uint64_t *args,
                                 uint64_t *ret)
{
    static const struct operation operation = {
        "pallas_msm", {"bases", "scalars"}, PVF__PROVIDER_PALLAS_MSM};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_pallas_mul(struct pvf__hostcall_context *context,
                                 const uint64_t *args,
                                 uint64_t *ret)
{
    static const struct operation operation = {
        "pallas_mul", {"base", "scalar"}, PVF__PROVIDER_PALLAS_MUL};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_vesta_msm(struct pvf__hostcall_context *context,
                                const uint64_t *args,
                                uint64_t *ret)
{
    static const struct operation operation = {
        "vesta_msm", {"bases", "scalars"}, PVF__PROVIDER_VESTA_MSM};
    return two_inputs(context, &operation, args, ret);
}

int pvf__hostcall_ecc_vesta_mul(struct pvf__hostcall_context *context,
                                const uint64_t *args,
                                uint64_t *ret)
{
    static const struct operation operation = {
        "vesta_mul", {"base", "scalar"}, PVF__PROVIDER_VESTA_MUL};
    return two_inputs(context, &operation, args, ret);
}
