/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the values in requests of `pvf run`.  Clients are this user's own, yet any value may be of
 * the wrong kind; a file that is named has to be a plain one, so that reading it cannot hang.
 */
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

json_t *pvf__run_member(struct pvf__run_object *object, const char *key)
{
    if (object->known_count < sizeof object->known / sizeof object->known[0]) {
        object->known[object->known_count++] = key;
    }
    return json_object_get(object->json, key);
}

int pvf__run_number(struct pvf__run_object *object, const char *key, uint64_t max, uint64_t *ret)
{
    const json_t *value = pvf__run_member(object, key);
    if (value == NULL) {
        return 0;
    }
    if (json_is_integer(value) && json_integer_value(value) >= 0 &&
        (uint64_t)json_integer_value(value) <= max) {
        *ret = (uint64_t)json_integer_value(value);
        return 0;
    }
    if (json_is_string(value) && pvf__text_parse_u64(json_string_value(value), max, ret)) {
        return 0;
    }
    return pvf__error_set(object->err,
                          PVF_ERR_INVALID_ARG,
                          "%s: a whole number from 0 to %llu is needed",
                          key,
                          (unsigned long long)max);
}

int pvf__run_bool(struct pvf__run_object *object, const char *key, bool *ret)
{
    const json_t *value = pvf__run_member(object, key);
    if (value != NULL && !json_is_boolean(value)) {
        return pvf__error_set(object->err, PVF_ERR_INVALID_ARG, "%s: true or false is needed", key);
    }
    *ret = value != NULL ? json_is_true(value) : *ret;
    return 0;
}

int pvf__run_hash(struct pvf__run_object *object, const char *key, uint8_t out[32], bool *ret_given)
{
    const json_t *value = pvf__run_member(object, key);
    const char *text = json_string_value(value);
    uint8_t hash[32];
    size_t len = 0;
    *ret_given = value != NULL;
    if (value == NULL) {
        return 0;
    }
    if (text == NULL || !pvf__text_from_hex(text, hash, sizeof hash, &len) || len != sizeof hash) {
        return pvf__error_set(
            object->err, PVF_ERR_INVALID_ARG, "%s: 64 hex digits are needed", key);
    }
    memcpy(out, hash, sizeof hash);
    return 0;
}

int pvf__run_word(struct pvf__run_object *object,
                  const char *key,
                  const char *const *words,
                  int32_t *ret)
{
    const json_t *value = pvf__run_member(object, key);
    const char *text = json_string_value(value);
    char all[160] = "";
    if (value == NULL) {
        return 0;
    }
    for (int32_t i = 0; words[i] != NULL; i++) {
        if (text != NULL && strcmp(text, words[i]) == 0) {
            *ret = i;
            return 0;
        }
        size_t used = strlen(all);
        (void)snprintf(all + used, sizeof all - used, "%s\"%s\"", i > 0 ? ", " : "", words[i]);
    }
    return pvf__error_set(object->err, PVF_ERR_INVALID_ARG, "%s: one of %s is needed", key, all);
}

static int from_path(const char *path, struct pvf__buf *buf, pvf_error *err)
{
    struct stat info;
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open %.160s", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "%.160s is no plain file", path);
    }
    return pvf__fd_read_all(fd, path, buf, err);
}

static int from_hex(const char *text, size_t len, struct pvf__buf *buf, pvf_error *err)
{
    size_t used = 0;
    int status = pvf__buf_reserve(buf, len / 2);
    if (status != 0) {
        return pvf__error_set(err, status, "no room for %zu bytes", len / 2);
    }
    /* An empty buffer has no place to write to, and nothing to be written. */
    if (len > 0 && !pvf__text_from_hex(text, buf->data, len / 2, &used)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "an even count of hex digits is needed");
    }
    buf->len = used;
    return 0;
}

static int base64_digit(char letter)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = letter != '\0' ? strchr(digits, letter) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* RFC 4648, section 4: with padding, without blanks, and only the one way to write a value. */
static int from_base64(const char *text, size_t len, struct pvf__buf *buf, pvf_error *err)
{
    size_t pad = len >= 4 && text[len - 1] == '=' ? (text[len - 2] == '=' ? 2 : 1) : 0;
    uint32_t bits = 0;
    int status = pvf__buf_reserve(buf, len / 4 * 3);
    if (status != 0) {
        return pvf__error_set(err, status, "no room for %zu bytes", len / 4 * 3);
    }
    for (size_t i = 0; i < len - pad; i++) {
        int digit = base64_digit(text[i]);
        if (len % 4 != 0 || digit < 0) {
            return pvf__error_set(err, PVF_ERR_INVALID_ARG, "no base64 at byte %zu of %zu", i, len);
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0) {
            /* Whole bytes leave from the top: 4, 2, 0 bits stay. */
            unsigned stay = 6 - 2 * (unsigned)(i % 4);
            buf->data[buf->len++] = (uint8_t)(bits >> stay);
            bits &= (1u << stay) - 1;
        }
    }
    return bits == 0 ? 0
                     : pvf__error_set(err, PVF_ERR_INVALID_ARG, "no base64: bits behind the end");
}

int pvf__run_bytes(struct pvf__run_object *object, const char *key, struct pvf__buf *buf)
{
    json_t *value = pvf__run_member(object, key);
    void *at =
        json_is_object(value) && json_object_size(value) == 1 ? json_object_iter(value) : NULL;
    const char *form = at != NULL ? json_object_iter_key(at) : "";
    const json_t *inner = at != NULL ? json_object_iter_value(at) : NULL;
    const char *text = json_string_value(inner);
    int status = PVF_ERR_UNSUPPORTED;
    if (text != NULL && strcmp(form, "path") == 0) {
        status = from_path(text, buf, object->err);
    } else if (text != NULL && strcmp(form, "hex") == 0) {
        status = from_hex(text, json_string_length(inner), buf, object->err);
    } else if (text != NULL && strcmp(form, "base64") == 0) {
        status = from_base64(text, json_string_length(inner), buf, object->err);
    }
    if (status == PVF_ERR_UNSUPPORTED) {
        return pvf__error_set(object->err,
                              PVF_ERR_INVALID_ARG,
                              "%s: {\"path\": …}, {\"hex\": …} or {\"base64\": …} is needed",
                              key);
    }
    if (status != 0) {
        pvf__error_wrap(object->err, "%s", key);
    }
    return status;
}

int pvf__run_no_more(struct pvf__run_object *object)
{
    const char *key;
    json_t *value;
    int status = 0;
    json_object_foreach(object->json, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < object->known_count; i++) {
            known = known || strcmp(key, object->known[i]) == 0;
        }
        if (!known && status == 0) {
            status = pvf__error_set(object->err,
                                    PVF_ERR_INVALID_ARG,
                                    "there is no member \"%.60s\" in this request",
                                    key);
        }
    }
    return status;
}
