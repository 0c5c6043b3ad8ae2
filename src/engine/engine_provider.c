/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the table that joins the host functions to the engine library. */
#include "engine/engine_provider.h"

#include <assert.h>
#include <pvf_shim.h>

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), #ours)

SAME(PVF__PROVIDER_SHA2_256, PVF_SHIM_SHA2_256);
SAME(PVF__PROVIDER_BLAKE2B_128, PVF_SHIM_BLAKE2B_128);
SAME(PVF__PROVIDER_BLAKE2B_256, PVF_SHIM_BLAKE2B_256);
SAME(PVF__PROVIDER_BLS12_381_MULTI_MILLER_LOOP, PVF_SHIM_BLS12_381_MULTI_MILLER_LOOP);
SAME(PVF__PROVIDER_BLS12_381_FINAL_EXPONENTIATION, PVF_SHIM_BLS12_381_FINAL_EXPONENTIATION);
SAME(PVF__PROVIDER_BLS12_381_MSM_G1, PVF_SHIM_BLS12_381_MSM_G1);
SAME(PVF__PROVIDER_BLS12_381_MSM_G2, PVF_SHIM_BLS12_381_MSM_G2);
SAME(PVF__PROVIDER_BLS12_381_MUL_G1, PVF_SHIM_BLS12_381_MUL_G1);
SAME(PVF__PROVIDER_BLS12_381_MUL_G2, PVF_SHIM_BLS12_381_MUL_G2);
SAME(PVF__PROVIDER_BANDERSNATCH_MSM, PVF_SHIM_BANDERSNATCH_MSM);
SAME(PVF__PROVIDER_BANDERSNATCH_MUL, PVF_SHIM_BANDERSNATCH_MUL);
SAME(PVF__PROVIDER_PALLAS_MSM, PVF_SHIM_PALLAS_MSM);
SAME(PVF__PROVIDER_PALLAS_MUL, PVF_SHIM_PALLAS_MUL);
SAME(PVF__PROVIDER_VESTA_MSM, PVF_SHIM_VESTA_MSM);
SAME(PVF__PROVIDER_VESTA_MUL, PVF_SHIM_VESTA_MUL);

static int hash(unsigned kind, const uint8_t *data, size_t len, uint8_t *out)
{
    return pvf_shim_hash((int)kind, data, len, out);
}

const struct pvf__crypto_provider pvf__engine_provider = {
    .ed25519_verify = pvf_shim_ed25519_verify,
    .sr25519_verify = pvf_shim_sr25519_verify,
    .hash = hash,
    .curve = pvf_shim_curve,
    .decompress = pvf_shim_decompress,
    .buffer_free = pvf_shim_buffer_free,
};
