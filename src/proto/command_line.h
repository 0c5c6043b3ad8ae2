/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_COMMAND_LINE_H
#define PVF_PROTO_COMMAND_LINE_H

/*
 * The words on a worker's command line (protocol: command line): the host writes them, the worker
 * reads them.  Kinds are "prepare" and "execute".
 */
#define PVF__WORD_COMMAND_SUFFIX "-worker"
#define PVF__WORD_SOCKET_PATH "--socket-path"
#define PVF__WORD_WORKER_DIR "--worker-dir-path"
#define PVF__WORD_NODE_VERSION "--node-impl-version"

#define PVF__WORD_VERSION "--version"
#define PVF__WORD_CHECK_LANDLOCK "--check-can-enable-landlock"
#define PVF__WORD_CHECK_SECCOMP "--check-can-enable-seccomp"
#define PVF__WORD_CHECK_CHANGE_ROOT "--check-can-unshare-user-namespace-and-change-root"
#define PVF__WORD_CHECK_SECURE_CLONE "--check-can-do-secure-clone"

/* Our own, of the prepare worker's normal start: where the stack is metered. */
#define PVF__WORD_METERING "--metering"
#define PVF__WORD_METERING_CALLEE "callee"
#define PVF__WORD_METERING_CALL_SITE "call-site"

/* Our own, of the same start: how many threads compile one code. */
#define PVF__WORD_COMPILE_THREADS "--compile-threads"
#define PVF__COMPILE_THREADS_MAX 16u

/* Our own, of the same start: whether a compilation is answered for a first tier, too. */
#define PVF__WORD_FIRST_TIER "--first-tier"
#define PVF__WORD_FIRST_TIER_ON "on"
#define PVF__WORD_FIRST_TIER_OFF "off"
/*
 * Our own, of both workers: the versions of the upgraded wire that they know (proto/upgrade.h), as
 * one line; and of a normal start, instead of a socket's path, the inherited descriptor of it.
 */
#define PVF__WORD_UPGRADES "--wire-upgrades"
#define PVF__WORD_INHERITED_SOCKET "--inherited-socket"

/* Our own: tells about a blob on stdin (prepare worker). */
#define PVF__WORD_INSPECT "inspect"
#define PVF__WORD_EXECUTOR_PARAMS "--executor-params"
#define PVF__WORD_BOMB_LIMIT "--bomb-limit"

#endif
