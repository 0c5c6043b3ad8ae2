/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_EXIT_CODES_H
#define PVF_PROTO_EXIT_CODES_H

/* How workers and jobs end.  Nobody reads a worker's; a worker reads its job's. */
enum pvf__exit_code {
    PVF__EXIT_OK = 0,      /* a worker: only help, version and checks; a job: Ok was sent */
    PVF__EXIT_ORDERLY = 1, /* a worker's normal end; a job: Err was sent, or nothing could be */
    PVF__EXIT_PANIC = 101, /* a worker's bad arguments, as a panic of the reference */
    PVF__EXIT_CHECK_FAILED = 255, /* a --check-can-… said no */
};

#endif
