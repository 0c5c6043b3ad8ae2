/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_HOST_MESSAGE_H
#define PVF_HOST_HOST_MESSAGE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "proto/executor_params.h"
#include "proto/upgrade.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A request as it goes out: a whole frame and, to a worker that speaks the upgraded wire, the
 * descriptors that travel with it.  What the descriptors hold nobody can change, so the same
 * message may be sent again to another worker.
 */
struct pvf__host_message {
    struct pvf__buf frame; /* header included */
    int body_fd;           /* sealed memory; -1: the body is in the frame */
    int artifact_fd;       /* -1: none */
};

#define PVF__HOST_MESSAGE_INIT                                                                     \
    {                                                                                              \
        .frame = PVF__BUF_INIT(0), .body_fd = -1, .artifact_fd = -1                                \
    }

/* The descriptors that go with it, in their order; how many. */
size_t pvf__host_message_files(const struct pvf__host_message *message,
                               int ret[PVF__UPGRADE_FILES]);

/* Lets go of all of it; it is empty then. */
void pvf__host_message_done(struct pvf__host_message *message);

#define PVF__CLEANUP_MESSAGE __attribute__((cleanup(pvf__host_message_done)))

/* What a request's body is: long bytes, which are copied once only, and what stands around them. */
struct pvf__host_message_body {
    const struct pvf__buf *front;
    struct pvf__slice middle;
    const struct pvf__buf *back;
    size_t max;        /* bytes in all */
    size_t inline_max; /* upgraded: more are sealed memory */
};

/*
 * Fills a message that has no frame yet with a request; on the upgraded wire `params`, when there
 * are any, go with it.  PVF_ERR_LIMIT, PVF_ERR_NO_MEMORY, or PVF_ERR_IO when this machine has no
 * sealed memory now; then the message is empty.
 */
PVF__NODISCARD int pvf__host_message_make(bool upgraded,
                                          const struct pvf__host_message_body *body,
                                          const struct pvf__executor_params *params,
                                          struct pvf__host_message *ret,
                                          pvf_error *err);

/* Upgraded: the artifact that goes with it, instead of the last one.  PVF_ERR_IO. */
PVF__NODISCARD int
pvf__host_message_set_artifact(struct pvf__host_message *message, const char *path, pvf_error *err);

#endif
