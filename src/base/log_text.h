/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_LOG_TEXT_H
#define PVF_BASE_LOG_TEXT_H

#include <stddef.h>

/*
 * Copies text in such a way that it stays one line, is UTF-8, and does nothing to a terminal:
 * controls, line and paragraph separators, what turns the direction of writing, bytes that are no
 * UTF-8, and backslashes become \n, \r, \t, \\ or \xNN.  At most `size` - 1 bytes and a terminator;
 * what does not fit is cut, never in the midst of a character or an escape.  Bytes at the end that
 * look like a character that was cut are left out.
 */
void pvf__log_text_escape(const char *text, char *out, size_t size);

#endif
