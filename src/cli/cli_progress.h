/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_PROGRESS_H
#define PVF_CLI_CLI_PROGRESS_H

/*
 * Tells on stderr that something long is under way: on a terminal one line that is rewritten every
 * second, else nothing (a log has no use for it).  `what` is a static text.  One at a time.
 */
void pvf__cli_progress_begin(const char *what);
void pvf__cli_progress_end(void);

#endif
