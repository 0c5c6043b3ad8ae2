/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_LISTEN_H
#define PVF_CLI_CLI_LISTEN_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

/* A socket that listens, non-blocking and close-on-exec. */
struct pvf__cli_listen {
    int fd;
    char address[sizeof(((struct sockaddr_un *)0)->sun_path) + 8]; /* with the real port */
    bool has_file;   /* in the file system, named by the address */
    uint64_t device; /* of that file, to know it again */
    uint64_t inode;
};

#define PVF__CLI_LISTEN_NONE                                                                       \
    {                                                                                              \
        .fd = -1, .has_file = false                                                                \
    }

/*
 * PORT (of 127.0.0.1), ADDRESS:PORT, [ADDRESS]:PORT for IPv6, or unix:PATH; no names.  A socket
 * file that nobody listens on is replaced, any other file is not; the new one is for this user
 * only.  PVF_ERR_INVALID_ARG for what is no address, PVF_ERR_BUSY when somebody has it.
 */
PVF__NODISCARD int
pvf__cli_listen_open(const char *address, struct pvf__cli_listen *ret, pvf_error *err);

/* Closes what is open and removes the file if it is still ours. */
void pvf__cli_listen_done(struct pvf__cli_listen *listen);

#endif
