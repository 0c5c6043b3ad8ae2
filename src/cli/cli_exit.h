/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_EXIT_H
#define PVF_CLI_CLI_EXIT_H

/* How the program ends; documented in pvf(1), scripts rely on the numbers. */
enum pvf__cli_exit {
    PVF__CLI_OK = 0,               /* valid, or done */
    PVF__CLI_INVALID = 1,          /* the code or the candidate is invalid */
    PVF__CLI_USAGE = 2,            /* the command line, or a file named there, is wrong */
    PVF__CLI_POSSIBLY_INVALID = 3, /* may be invalid, may be this machine: try again */
    PVF__CLI_INTERNAL = 4,         /* this machine's fault: no verdict */
    PVF__CLI_UNEXPECTED = 5,       /* valid, but not the result that --expect names */
    PVF__CLI_NOT_READY = 6,        /* doctor: this machine cannot run a secure validator */
};

/*
 * Prints two lines to stderr, what happened and (unless `hint` is NULL) what to do about it, and
 * returns `code`.
 */
int pvf__cli_fail(enum pvf__cli_exit code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
