/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PREPARE_PREPARE_INSPECT_H
#define PVF_PREPARE_PREPARE_INSPECT_H

/*
 * One-shot mode: "PROGRAM inspect [--executor-params HEX] [--bomb-limit N]" reads a blob or an
 * artifact from standard input and writes one JSON object about it to standard output.  It is how
 * the command line learns about blobs without parsing them itself.  Exit code 0, or 1 with a line
 * on standard error.
 */
int pvf__prepare_inspect_main(int argc, char **argv);

#endif
