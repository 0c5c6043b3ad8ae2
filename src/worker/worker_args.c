/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the options of a worker's normal start. */
#include "worker/worker_args.h"

#include "base/error.h"
#include "base/text.h"
#include "proto/command_line.h"

#include <string.h>

int pvf__worker_args_parse(int argc,
                           char **argv,
                           const char *const own_options[PVF__WORKER_OWN_OPTIONS],
                           struct pvf__worker_args *ret,
                           pvf_error *err)
{
    struct pvf__worker_args args = {0};
    const struct {
        const char *option;
        const char **value;
    } options[] = {
        {PVF__WORD_SOCKET_PATH, &args.socket_path},
        {PVF__WORD_INHERITED_SOCKET, &args.inherited_socket},
        {PVF__WORD_WORKER_DIR, &args.worker_dir},
        {PVF__WORD_NODE_VERSION, &args.node_version},
        {own_options[0], &args.own_values[0]},
        {own_options[1], &args.own_values[1]},
        {own_options[2], &args.own_values[2]},
    };
    for (int i = 2; i < argc; i += 2) {
        const char **value = NULL;
        for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
            if (options[k].option != NULL && strcmp(argv[i], options[k].option) == 0) {
                value = options[k].value;
            }
        }
        if (value == NULL) {
            return pvf__error_set(
                err, PVF_ERR_INVALID_ARG, "Unexpected argument found: %s", argv[i]);
        }
        if (i + 1 >= argc) {
            return pvf__error_set(
                err, PVF_ERR_INVALID_ARG, "the %s argument needs a value", argv[i]);
        }
        if (!pvf__text_is_utf8((const uint8_t *)argv[i + 1], strlen(argv[i + 1]))) {
            return pvf__error_set(
                err, PVF_ERR_INVALID_ARG, "the value of %s is not valid UTF-8", argv[i]);
        }
        *value = argv[i + 1];
    }
    if (args.socket_path != NULL && args.inherited_socket != NULL) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              PVF__WORD_SOCKET_PATH " and " PVF__WORD_INHERITED_SOCKET
                                                    " exclude each other");
    }
    if (args.socket_path == NULL && args.inherited_socket == NULL) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "the " PVF__WORD_SOCKET_PATH " argument is required");
    }
    if (args.worker_dir == NULL) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "the " PVF__WORD_WORKER_DIR " argument is required");
    }
    *ret = args;
    return 0;
}
