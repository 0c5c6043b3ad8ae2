/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_EXECUTOR_PARAMS_H
#define PVF_PROTO_EXECUTOR_PARAMS_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/slice.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SCALE indices of the list's entries; there is no 0. */
enum pvf__param_kind {
    PVF__PARAM_MAX_MEMORY_PAGES = 1,
    PVF__PARAM_STACK_LOGICAL_MAX = 2,
    PVF__PARAM_STACK_NATIVE_MAX = 3,
    PVF__PARAM_PRECHECKING_MAX_MEMORY = 4,
    PVF__PARAM_PREP_TIMEOUT = 5,
    PVF__PARAM_EXEC_TIMEOUT = 6,
    PVF__PARAM_BULK_MEMORY = 7,
    PVF__PARAM_HOST_FUNCTION = 8,
};

/* Sub-kinds of the two timeouts, and the one host function set. */
#define PVF__PARAM_TIMEOUT_PRECHECK 0u
#define PVF__PARAM_TIMEOUT_PREPARE 1u
#define PVF__PARAM_TIMEOUT_BACKING 0u
#define PVF__PARAM_TIMEOUT_APPROVAL 1u
#define PVF__PARAM_ECC_RFC163 1u

/* Values when the list does not say otherwise (reference: executor parameters). */
#define PVF__PARAM_EXTRA_PAGES 32u /* added to MaxMemoryPages: the stack's own */
#define PVF__PARAM_DEFAULT_PAGES (2048u + PVF__PARAM_EXTRA_PAGES)
#define PVF__PARAM_DEFAULT_LOGICAL 65536u
#define PVF__PARAM_DEFAULT_NATIVE (256u * 1024 * 1024)
#define PVF__PARAM_DEFAULT_PRECHECK_MS 60000u
#define PVF__PARAM_DEFAULT_PREPARE_MS 360000u
#define PVF__PARAM_DEFAULT_BACKING_MS 2000u
#define PVF__PARAM_DEFAULT_APPROVAL_MS 12000u

/* One entry.  `sub` counts for the two timeouts and the host function, `value` for the first six.
 */
struct pvf__executor_param {
    enum pvf__param_kind kind;
    uint8_t sub;
    uint64_t value; /* pages, values, bytes, bytes, ms, ms */
};

/*
 * The list and what it means.  Of entries that are repeated the last counts for pages, stacks and
 * bulk memory, the first for timeouts and the memory limit.
 */
struct pvf__executor_params {
    struct pvf__slice raw; /* the encoded list; points into the message it came from, or NULL */
    uint32_t count;        /* its entries */

    uint32_t max_memory_pages; /* limit of the guest's memory: MaxMemoryPages + 32, saturating */
    uint32_t logical_max;      /* stack, Wasm values */
    uint32_t native_max;       /* stack, bytes */
    bool bulk_memory;
    bool ecc_rfc163;

    bool has_prechecking_max_memory;
    uint64_t prechecking_max_memory; /* bytes; both kinds of preparation */

    uint64_t precheck_timeout_ms; /* CPU time, defaults filled in */
    uint64_t prepare_timeout_ms;
    uint64_t backing_timeout_ms;
    uint64_t approval_timeout_ms;
};

/* The empty list: every default.  `raw` is the one byte of an empty list, of static storage. */
void pvf__executor_params_init(struct pvf__executor_params *ret);

/* Reads a list that is part of a message; ret->raw points into the cursor's bytes. */
PVF__NODISCARD bool pvf__executor_params_get(struct pvf__cursor *cursor,
                                             struct pvf__executor_params *ret);

/* Reads a message that is a list; bytes after it are ignored (ret->raw.len tells where it ends). */
PVF__NODISCARD int pvf__executor_params_decode(const uint8_t *data,
                                               size_t len,
                                               struct pvf__executor_params *ret,
                                               pvf_error *err);

/* Writes the list as it was read. */
void pvf__executor_params_put(struct pvf__buf *buf, const struct pvf__executor_params *params);

/* One entry of the list, to go through ret->raw after its count, or to build a list. */
PVF__NODISCARD bool pvf__executor_param_get(struct pvf__cursor *cursor,
                                            struct pvf__executor_param *ret);
void pvf__executor_param_put(struct pvf__buf *buf, const struct pvf__executor_param *param);

/* The name of an entry's kind as the runtime spells it; never NULL. */
const char *pvf__executor_param_name(enum pvf__param_kind kind);

/* BLAKE2b-256 of the encoded list: which execute worker may run a job. */
void pvf__executor_params_hash(const struct pvf__executor_params *params, uint8_t out[32]);

/* BLAKE2b-256 of "prep" and the entries that shape the artifact: part of an artifact's identity. */
PVF__NODISCARD int pvf__executor_params_prep_hash(const struct pvf__executor_params *params,
                                                  uint8_t out[32]);

/*
 * The rules that the relay chain's runtime applies before it accepts a list (workers apply none):
 * PVF_ERR_INVALID_ARG and a text that names the entry, its value and the limit.
 */
PVF__NODISCARD int pvf__executor_params_check(const struct pvf__executor_params *params,
                                              pvf_error *err);

#endif
