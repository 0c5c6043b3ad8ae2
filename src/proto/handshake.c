/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the security status that opens every connection. */
#include "proto/handshake.h"

#include "proto/proto_error.h"
#include "scale/scale.h"

int pvf__handshake_decode(const uint8_t *data, size_t len, pvf_security_status *ret, pvf_error *err)
{
    struct pvf__cursor cursor;
    pvf_security_status status;
    pvf__cursor_init(&cursor, data, len);
    if (!pvf__scale_get_bool(&cursor, &status.secure_validator_mode) ||
        !pvf__scale_get_bool(&cursor, &status.can_enable_landlock) ||
        !pvf__scale_get_bool(&cursor, &status.can_enable_seccomp) ||
        !pvf__scale_get_bool(&cursor, &status.can_unshare_user_namespace_and_change_root) ||
        !pvf__scale_get_bool(&cursor, &status.can_do_secure_clone)) {
        return pvf__proto_malformed(&cursor, "worker handshake", err);
    }
    *ret = status;
    return 0;
}

void pvf__handshake_encode(const pvf_security_status *status, struct pvf__buf *buf)
{
    pvf__scale_put_bool(buf, status->secure_validator_mode);
    pvf__scale_put_bool(buf, status->can_enable_landlock);
    pvf__scale_put_bool(buf, status->can_enable_seccomp);
    pvf__scale_put_bool(buf, status->can_unshare_user_namespace_and_change_root);
    pvf__scale_put_bool(buf, status->can_do_secure_clone);
}
