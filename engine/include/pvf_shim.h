/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SHIM_H
#define PVF_SHIM_H

/*
 * The C interface of the engine wrapper, beside Wasmtime's own: crates whose exact behaviour is
 * consensus, and what the engine's C API lacks.  All functions are thread-safe.  Lengths are in
 * bytes.  A pointer whose length is 0 is never read; no other argument may be null unless its
 * function says so.  A result of -1 says that a Rust panic was caught.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasm.h>
#include <wasmtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * 1 valid, 0 not, by the rules of ZIP-215 (ed25519-zebra): the cofactored equation, and points of
 * small order or in a non-canonical encoding are accepted.
 */
int pvf_shim_ed25519_verify(const uint8_t sig[64],
                            const uint8_t *msg,
                            size_t msg_len,
                            const uint8_t key[32]);

/*
 * 1 valid, 0 not, by schnorrkel with the context "substrate".  `deprecated` also accepts
 * signatures from before schnorrkel's audit, as version 1 of the host function does.
 */
int pvf_shim_sr25519_verify(const uint8_t sig[64],
                            const uint8_t *msg,
                            size_t msg_len,
                            const uint8_t key[32],
                            bool deprecated);

/* The kinds for which a crate was measured to be the fastest. */
enum pvf_shim_hash_kind {
    PVF_SHIM_SHA2_256 = 0,    /* 32 bytes */
    PVF_SHIM_BLAKE2B_128 = 1, /* 16 bytes */
    PVF_SHIM_BLAKE2B_256 = 2, /* 32 bytes */
};

/* 0, or 1 for an unknown kind.  `out` has room for the digest of the kind. */
int pvf_shim_hash(int kind, const uint8_t *data, size_t len, uint8_t *out);

/*
 * Opens the compression container.  0: `*out` holds the plain bytes; with `*borrowed` they are
 * `data` itself, since no magic stands in front, else the caller gives all three values to
 * pvf_shim_buffer_free.  1: damaged.  2: more than `limit` bytes would come out; plain input is
 * not measured.  The outputs are written for 0 only.
 */
int pvf_shim_decompress(const uint8_t *data,
                        size_t len,
                        size_t limit,
                        uint8_t **out,
                        size_t *out_len,
                        size_t *out_cap,
                        bool *borrowed);

/*
 * Makes such a container, at the strongest and slowest level.  0: it is the caller's, to be given
 * to pvf_shim_buffer_free.  1: `data` is longer than `limit`, so that opening would fail.
 */
int pvf_shim_compress(
    const uint8_t *data, size_t len, size_t limit, uint8_t **out, size_t *out_len, size_t *out_cap);

/* Frees what a function of this header gave; all three values as they came.  Null is nothing. */
void pvf_shim_buffer_free(uint8_t *data, size_t len, size_t cap);

/* The order of the host functions' list (ext_host_calls_…). */
enum pvf_shim_curve_op {
    PVF_SHIM_BLS12_381_MULTI_MILLER_LOOP = 0,
    PVF_SHIM_BLS12_381_FINAL_EXPONENTIATION = 1, /* reads `a`, ignores `b` */
    PVF_SHIM_BLS12_381_MSM_G1 = 2,
    PVF_SHIM_BLS12_381_MSM_G2 = 3,
    PVF_SHIM_BLS12_381_MUL_G1 = 4,
    PVF_SHIM_BLS12_381_MUL_G2 = 5,
    PVF_SHIM_BANDERSNATCH_MSM = 6,
    PVF_SHIM_BANDERSNATCH_MUL = 7,
    PVF_SHIM_PALLAS_MSM = 8,
    PVF_SHIM_PALLAS_MUL = 9,
    PVF_SHIM_VESTA_MSM = 10,
    PVF_SHIM_VESTA_MUL = 11,
};

/*
 * One operation on points, scalars or field elements in arkworks' uncompressed encoding, which is
 * not checked for curve or subgroup; bytes after a decoded value are ignored.  `a` holds the bases
 * (or the first list of pairs), `b` the scalars (or the second list).  The host functions' result
 * code: 0 done, 1 `out` too short, 2 undecodable, 3 lengths differ, 4 degenerate result, 255 other;
 * -1 is a trap of the guest.  `out` is written for 0 only, from its start and no further than the
 * result reaches; it must not overlap the inputs.
 */
int pvf_shim_curve(unsigned op,
                   const uint8_t *a,
                   size_t a_len,
                   const uint8_t *b,
                   size_t b_len,
                   uint8_t *out,
                   size_t out_len);

/*
 * Counts the bytes that Rust code of this process asks for, from 0; when more than `limit` (no
 * limit if not positive) are in use, `on_limit` runs once, inside the allocator and on any thread:
 * it may only write(2) and _exit(2), for what it allocates would come back here.
 */
void pvf_shim_alloc_track(int64_t limit, void (*on_limit)(void));

/* Counts `delta` bytes of C code's memory too; the bytes now in use, 0 when nothing is counted. */
int64_t pvf_shim_alloc_add(int64_t delta);

/* Ends the counting; the highest number of bytes in use. */
int64_t pvf_shim_alloc_peak(void);

/* Whether artifacts tell from which place of the module each instruction comes. */
void pvf_engine_config_address_map(wasm_config_t *config, bool enable);

#if WASMTIME_VERSION_MAJOR >= 48
/* Whether artifacts have a table of symbols, for debuggers. */
void pvf_engine_config_debug_symbols(wasm_config_t *config, bool enable);
#endif

/*
 * Compiles `wasm` to the bytes of an artifact (`*out`, to be given to wasm_byte_vec_delete) without
 * mapping any of it executable.  With more than one of `threads`, which the engine's setting of
 * parallel compilation must allow, so many are made for it; where they cannot be made, the caller's
 * own does it all.  The error is the caller's; `*panicked` tells the compiler's own failure from
 * its refusal, and the error then holds the panic's text.  Only for null is `*out` set.
 */
wasmtime_error_t *pvf_engine_precompile(wasm_engine_t *engine,
                                        const uint8_t *wasm,
                                        size_t len,
                                        size_t threads,
                                        wasm_byte_vec_t *out,
                                        bool *panicked);

/*
 * Maps the artifact in `fd`, which stays the caller's and may be closed afterwards.  The bytes are
 * executed as they are: they must be an artifact that this very engine made, and unchangeable.
 * Null: `*out` is the caller's, to be given to wasmtime_module_delete; else the error is.
 */
wasmtime_error_t *pvf_engine_module_from_fd(wasm_engine_t *engine, int fd, wasmtime_module_t **out);

/* The engine's full version, such as "48.0.8"; static. */
const char *pvf_engine_version(void);

#ifdef __cplusplus
}
#endif

#endif
