/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_ZYGOTE_WIRE_H
#define PVF_EXECUTE_ZYGOTE_WIRE_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The socket between a worker and a zygote.  Orders go in: make one job, with these descriptors.
 * Each job says hello with an empty-handed byte, and what counts is who says it: the kernel adds
 * the sender's number as the worker sees it.
 */

/* The descriptors of an order. */
enum pvf__zygote_order {
    PVF__ZYGOTE_PIPE,     /* the job's pipe, write end */
    PVF__ZYGOTE_INPUT,    /* memory where its input will be: the body of the request */
    PVF__ZYGOTE_ANNOUNCE, /* pipe that tells how many bytes it has: an offer, as below */
    PVF__ZYGOTE_ORDER,
};

/*
 * What a job reads in two steps: the second part only once it is back from reading the
 * first.  A process that was killed while it waited may be given the first, by the kernel, before
 * it dies; the second it leaves.
 */
struct pvf__zygote_offer {
    uint8_t len[8];
    uint8_t taken;
};

/* The worker's end and the zygote's, for one zygote after another. */
PVF__NODISCARD int pvf__zygote_wire_open(int ret_ends[2], pvf_error *err);

/* Worker.  Never waits: a full socket is an error. */
PVF__NODISCARD int
pvf__zygote_wire_order(int end, const int fds[PVF__ZYGOTE_ORDER], pvf_error *err);

/*
 * Worker: the process that said hello.  It is, or was, in the namespace of the zygote; no
 * descriptor is taken from it.  Never waits.
 */
PVF__NODISCARD int pvf__zygote_wire_hear(int end, pid_t *ret, pvf_error *err);

/* Worker: is nothing there to be heard?  If so, no hello of a process that is reaped by now. */
bool pvf__zygote_wire_is_quiet(int end);

/* Worker: throws away what is there, once nobody else has the other end. */
void pvf__zygote_wire_drain(int end);

/* Zygote: waits for an order; false at the worker's end. */
bool pvf__zygote_wire_take(int end, int ret_fds[PVF__ZYGOTE_ORDER]);

/* Job. */
PVF__NODISCARD int pvf__zygote_wire_hello(int end, pvf_error *err);

#endif
