/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOSTCALL_GUEST_TEXT_H
#define PVF_HOSTCALL_GUEST_TEXT_H

#include "base/slice.h"

#include <stddef.h>

/*
 * Copies a guest's text for the log: control characters become spaces, so that one call is one
 * line and no terminal obeys it; cut where `out` ends, never inside a character.  `out` is
 * terminated and holds at least one byte.  `text` is UTF-8.
 */
void pvf__guest_text_clean(struct pvf__slice text, char *out, size_t size);

#endif
