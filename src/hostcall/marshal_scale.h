/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOSTCALL_MARSHAL_SCALE_H
#define PVF_HOSTCALL_MARSHAL_SCALE_H

#include "base/slice.h"
#include "trie/trie.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The three shapes of SCALE arguments.  Bytes behind a value are ignored: that is the rule of host
 * functions, unlike that of most decoders here.  NULL, or the reference's words for what is wrong;
 * outputs are then untouched.  Items point into `input`; arrays are the caller's to free, and NULL
 * for no items.
 */

/* What the two arrays return when this machine has no memory for them; compare the pointer. */
extern const char pvf__marshal_scale_no_memory[];

/* Option<Vec<u8>> */
const char *
pvf__marshal_scale_option(struct pvf__slice input, bool *ret_some, struct pvf__slice *ret);

/* Vec<Vec<u8>> */
const char *
pvf__marshal_scale_list(struct pvf__slice input, struct pvf__slice **ret, size_t *ret_count);

/* Vec<(Vec<u8>, Vec<u8>)> */
const char *
pvf__marshal_scale_pairs(struct pvf__slice input, struct pvf__trie_pair **ret, size_t *ret_count);

#endif
