/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_FAKE_UPGRADED_H
#define PVF_TESTS_SUPPORT_FAKE_UPGRADED_H

#include "base/buf.h"

#include <stdbool.h>

/*
 * The upgraded wire of fake_worker.c.  A fake whose mode begins with "up-" says that it knows it;
 * the rest of the mode is what it does otherwise.  What a host does wrong ends it with an exit code
 * from 80 on.
 */

/* Answers --wire-upgrades; the exit code. */
int fake_upgraded_versions(const char *mode, bool upgraded);

/* Takes the hello and says what it is ready for; false when the mode ends it there. */
bool fake_upgraded_start(const char *mode, int fd, struct pvf__buf *frame);

/* Takes a request; its body is in `frame` then.  False at the host's end. */
bool fake_upgraded_take(int fd, bool is_execute, struct pvf__buf *frame);

/* Sends a few descriptors, which nobody wants, with a byte that belongs to an answer. */
void fake_upgraded_send_files(int fd, const void *data, size_t len);

#endif
