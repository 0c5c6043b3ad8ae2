/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the text forms of executor parameters.  The text is the user's own; what comes out is the
 * SCALE list that workers get.
 */
#include "cli/cli_params.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "scale/scale.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

/* More entries than the runtime's eight kinds make no sense; a file of this size neither. */
#define MAX_ENTRIES 64u
#define MAX_FILE ((size_t)1 << 20)

static bool name_is(const char *text, const char *name)
{
    /* polkadot.js spells the first letter small. */
    return tolower((unsigned char)text[0]) == tolower((unsigned char)name[0]) && text[0] != '\0' &&
           strcmp(text + 1, name + 1) == 0;
}

static int
json_u64(const json_t *value, uint64_t max, const char *name, uint64_t *ret, pvf_error *err)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0 &&
        (uint64_t)json_integer_value(value) <= max) {
        *ret = (uint64_t)json_integer_value(value);
        return PVF_OK;
    }
    if (json_is_string(value) && pvf__text_parse_u64(json_string_value(value), max, ret)) {
        return PVF_OK;
    }
    return pvf__error_set(err,
                          PVF_ERR_INVALID_ARG,
                          "%s: a whole number from 0 to %llu is needed",
                          name,
                          (unsigned long long)max);
}

/* ["Backing", 2000] or {"kind": …}: the first only, as SCALE tuples are written in JSON. */
static int timeout(const json_t *value, struct pvf__executor_param *param, pvf_error *err)
{
    static const char *const kinds[2][2] = {{"Precheck", "Prepare"}, {"Backing", "Approval"}};
    const char *name = pvf__executor_param_name(param->kind);
    const char *const *pair = kinds[param->kind == PVF__PARAM_EXEC_TIMEOUT];
    const char *kind = json_string_value(json_array_get(value, 0));
    if (json_array_size(value) != 2 || !kind ||
        !(name_is(kind, pair[0]) || name_is(kind, pair[1]))) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%s: [\"%s\" or \"%s\", milliseconds] is needed",
                              name,
                              pair[0],
                              pair[1]);
    }
    param->sub = name_is(kind, pair[1]) ? 1 : 0;
    return json_u64(json_array_get(value, 1), UINT64_MAX, name, &param->value, err);
}

static int payload(const json_t *value, struct pvf__executor_param *param, pvf_error *err)
{
    const char *name = pvf__executor_param_name(param->kind);
    const char *text = NULL;
    switch (param->kind) {
    case PVF__PARAM_MAX_MEMORY_PAGES:
    case PVF__PARAM_STACK_LOGICAL_MAX:
    case PVF__PARAM_STACK_NATIVE_MAX:
        return json_u64(value, UINT32_MAX, name, &param->value, err);
    case PVF__PARAM_PRECHECKING_MAX_MEMORY:
        return json_u64(value, UINT64_MAX, name, &param->value, err);
    case PVF__PARAM_PREP_TIMEOUT:
    case PVF__PARAM_EXEC_TIMEOUT:
        return timeout(value, param, err);
    case PVF__PARAM_HOST_FUNCTION:
        text = json_string_value(value);
        if (text && name_is(text, "EccRfc163")) {
            param->sub = PVF__PARAM_ECC_RFC163;
            return PVF_OK;
        }
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "%s: the only one is \"EccRfc163\"", name);
    case PVF__PARAM_BULK_MEMORY:
    default:
        return PVF_OK;
    }
}

static int entry(json_t *item, struct pvf__executor_param *ret, pvf_error *err)
{
    const char *name = json_string_value(item);
    const json_t *value = NULL;
    if (json_is_object(item) && json_object_size(item) == 1) {
        void *at = json_object_iter(item);
        name = json_object_iter_key(at);
        value = json_object_iter_value(at);
    }
    if (!name) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "{\"Name\": value} or \"Name\" is needed");
    }
    for (unsigned i = PVF__PARAM_MAX_MEMORY_PAGES; i <= PVF__PARAM_HOST_FUNCTION; i++) {
        enum pvf__param_kind kind = (enum pvf__param_kind)i;
        if (name_is(name, pvf__executor_param_name(kind))) {
            *ret = (struct pvf__executor_param){.kind = kind};
            return payload(value, ret, err);
        }
    }
    return pvf__error_set(err, PVF_ERR_INVALID_ARG, "there is no parameter '%.60s'", name);
}

static int from_json(const char *text, size_t len, struct pvf__buf *scale, pvf_error *err)
{
    json_error_t where;
    json_t *list = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!list) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "JSON line %d column %d: %s",
                              where.line,
                              where.column,
                              where.text);
    }
    int status = PVF_OK;
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > MAX_ENTRIES) {
        status = pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "a JSON list of at most %u entries is needed", MAX_ENTRIES);
    } else {
        pvf__scale_put_compact(scale, (uint32_t)count);
    }
    for (size_t i = 0; status == PVF_OK && i < count; i++) {
        struct pvf__executor_param param;
        status = entry(json_array_get(list, i), &param, err);
        if (status == PVF_OK) {
            pvf__executor_param_put(scale, &param);
        } else {
            pvf__error_wrap(err, "entry %zu", i);
        }
    }
    json_decref(list);
    return status == PVF_OK ? scale->failed : status;
}

static bool is_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isxdigit((unsigned char)text[i]) && !(i == 1 && text[0] == '0' && text[1] == 'x')) {
            return false;
        }
    }
    return len >= 2;
}

static int from_hex(const char *text, struct pvf__buf *scale, pvf_error *err)
{
    size_t room = strlen(text) / 2 + 1;
    uint8_t *bytes = malloc(room);
    size_t len = 0;
    if (!bytes) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for %zu bytes", room);
    }
    int status =
        pvf__text_from_hex(text, bytes, room, &len)
            ? pvf__buf_append(scale, bytes, len)
            : pvf__error_set(err, PVF_ERR_MALFORMED, "an even count of hex digits is needed");
    free(bytes);
    return status;
}

/* Hex or JSON, without white space around it; `text` is terminated. */
static int from_text(const char *text, size_t len, struct pvf__buf *scale, pvf_error *err)
{
    return is_hex(text, len) ? from_hex(text, scale, err) : from_json(text, len, scale, err);
}

static int from_file(const char *path, struct pvf__buf *scale, pvf_error *err)
{
    PVF__CLEANUP_BUF struct pvf__buf file = PVF__BUF_INIT(MAX_FILE);
    int status = pvf__fd_read_file(path, &file, err);
    if (status == PVF_OK) {
        status = pvf__buf_u8(&file, 0);
    }
    if (status != PVF_OK) {
        return status;
    }
    char *text = (char *)file.data;
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        text[--len] = '\0';
    }
    while (isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    return from_text(text, len, scale, err);
}

int pvf__cli_params_read(const char *text,
                         struct pvf__buf *scale,
                         struct pvf__executor_params *ret,
                         pvf_error *err)
{
    if (!text) {
        pvf__executor_params_init(ret);
        return PVF_OK;
    }
    bool inline_form = text[0] == '[' || text[0] == '{' || is_hex(text, strlen(text));
    int status =
        inline_form ? from_text(text, strlen(text), scale, err) : from_file(text, scale, err);
    struct pvf__executor_params params;
    pvf__executor_params_init(&params);
    if (status == PVF_OK) {
        status = pvf__executor_params_decode(scale->data, scale->len, &params, err);
    }
    if (status == PVF_OK && params.raw.len != scale->len) {
        status = pvf__error_set(err,
                                PVF_ERR_MALFORMED,
                                "%zu bytes follow the list's end at byte %zu",
                                scale->len - params.raw.len,
                                params.raw.len);
    }
    if (status == PVF_OK) {
        *ret = params;
    }
    return status;
}
