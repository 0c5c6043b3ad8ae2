/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_WASM_FILES_H
#define PVF_TESTS_SUPPORT_WASM_FILES_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The folder with recorded answers and real runtimes, which is not part of the source tree: named
 * by the environment variable PVF_SHARED, else `../shared` beside the source folder.  A program
 * that finds none prints the reason and exits with 77.
 */
#define WASM_FILES_SKIPPED 77

/* Writes folder and `name` to `path`; false when there is no such file. */
bool wasm_files_find(const char *name, char *path, size_t room);

/*
 * Appends a blob as the prepare worker sees it after decompression, by the program `zstd`; or a
 * file packed by gzip, unpacked.  False, with a line on stderr, when that fails.
 */
bool wasm_files_read_blob(const char *path, struct pvf__buf *out);
bool wasm_files_read_gzip(const char *path, struct pvf__buf *out);

/*
 * What stands behind "key": in a line of JSON, at its first place; NULL when there is none.  And
 * its text, with \" and \\ resolved, when it is one.
 */
const char *wasm_files_json_value(const char *line, const char *key);
bool wasm_files_json_text(const char *line, const char *key, char *out, size_t room);

/*
 * The whole of a test over an index of JSON lines: `check` for each line, true when it counts as a
 * case.  Prints the number of cases, called `what`, and of `*failures`; the program's exit code:
 * nothing found to check is a failure, no index is WASM_FILES_SKIPPED.
 */
int wasm_files_check_index(const char *name,
                           bool (*check)(const char *line),
                           const char *what,
                           const unsigned *failures);

/* The next line of a buffer, its newline replaced by a terminator; NULL at the end. */
char *wasm_files_next_line(char **at);

#endif
