/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOSTCALL_MARSHAL_H
#define PVF_HOSTCALL_MARSHAL_H

#include "base/cleanup.h"
#include "base/slice.h"
#include "hostcall/hostcall.h"
#include "trie/trie.h"

#include <stddef.h>
#include <stdint.h>

/*
 * How arguments and results cross the border to the guest.  The order is consensus where it can be
 * seen: arguments left to right, each read and decoded before the next; then the function; then
 * write-backs left to right; then the allocation of the result.  So a function here reads all its
 * arguments first, and touches guest memory only when nothing can fail any more but the heap.
 *
 * Arguments are read in place.  Their slices are good until guest memory is written or grows, that
 * is until the function's first write-back or result: what a function makes it keeps in host memory
 * until then, which also makes overlaps between inputs and outputs harmless.
 *
 * Every reader returns 0, or -1 with the text of the trap in the context.  Fat pointers are
 * len << 32 | ptr.
 */
struct pvf__frame {
    struct pvf__hostcall_context *context;
    const char *interface; /* as the texts of traps name it, such as "Crypto" */
    const char *function;
};

/* `len` bytes at a plain pointer. */
PVF__NODISCARD int pvf__marshal_fixed(const struct pvf__frame *frame,
                                      const char *name,
                                      uint64_t ptr,
                                      uint32_t len,
                                      const uint8_t **ret);

/* The bytes of a fat pointer. */
PVF__NODISCARD int pvf__marshal_fat(const struct pvf__frame *frame,
                                    const char *name,
                                    uint64_t fat,
                                    struct pvf__slice *ret);

/* As pvf__marshal_fat; traps unless UTF-8. */
PVF__NODISCARD int pvf__marshal_str(const struct pvf__frame *frame,
                                    const char *name,
                                    uint64_t fat,
                                    struct pvf__slice *ret);

/*
 * SCALE values behind a fat pointer; bytes behind the value are ignored.  The arrays are the
 * caller's to free, their items lie in guest memory.
 */
PVF__NODISCARD int pvf__marshal_option(const struct pvf__frame *frame,
                                       const char *name,
                                       uint64_t fat,
                                       bool *ret_some,
                                       struct pvf__slice *ret);
PVF__NODISCARD int pvf__marshal_list(const struct pvf__frame *frame,
                                     const char *name,
                                     uint64_t fat,
                                     struct pvf__slice **ret,
                                     size_t *ret_count);
PVF__NODISCARD int pvf__marshal_pairs(const struct pvf__frame *frame,
                                      const char *name,
                                      uint64_t fat,
                                      struct pvf__trie_pair **ret,
                                      size_t *ret_count);

/* An enum passed as i32: its low 8 bits count, and trap above `max`. `type` is for the text. */
PVF__NODISCARD int pvf__marshal_enum(const struct pvf__frame *frame,
                                     const char *name,
                                     uint64_t value,
                                     uint8_t max,
                                     const char *type,
                                     uint8_t *ret);

/* The guest's own bytes, to be written back to.  A bad range has no argument to blame. */
PVF__NODISCARD int
pvf__marshal_writable(struct pvf__hostcall_context *context, uint64_t fat, uint8_t **ret);

/* Puts `data`, which lies in host memory, on the guest's heap; *ret is the pointer. */
PVF__NODISCARD int pvf__marshal_return(struct pvf__hostcall_context *context,
                                       const void *data,
                                       size_t len,
                                       uint64_t *ret);

/* As pvf__marshal_return; *ret is a fat pointer. */
PVF__NODISCARD int pvf__marshal_return_fat(struct pvf__hostcall_context *context,
                                           const void *data,
                                           size_t len,
                                           uint64_t *ret);

/* -1, with the text as the trap's. */
int pvf__marshal_trap(struct pvf__hostcall_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As pvf__marshal_trap, in the words for a host function that gave up. */
int pvf__marshal_panic(struct pvf__hostcall_context *context, const char *text);

/* What memory and heap say while the start function runs: there are none yet. */
int pvf__marshal_absent(struct pvf__hostcall_context *context);

/* Ends the process, see pvf__hostcall_context. */
_Noreturn void pvf__marshal_no_memory(const struct pvf__hostcall_context *context);

#endif
