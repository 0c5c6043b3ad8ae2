/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: finding and reading of test files that are not in the source tree. */
#include "support/wasm_files.h"

#include "base/fd.h"

#include <stdio.h>
#include <string.h>

bool wasm_files_find(const char *name, char *path, size_t room)
{
    const char *folder = getenv("PVF_SHARED");
    if (folder == NULL || folder[0] == '\0') {
        folder = PVF_TEST_DATA "/../../../shared";
    }
    int len = snprintf(path, room, "%s/%s", folder, name);
    return len > 0 && (size_t)len < room && access(path, R_OK) == 0;
}

static bool read_command(const char *command, struct pvf__buf *out)
{
    FILE *pipe = popen(command, "re");
    if (pipe == NULL) {
        perror(command);
        return false;
    }
    char part[8192];
    size_t len;
    bool good = true;
    while ((len = fread(part, 1, sizeof(part), pipe)) > 0) {
        good = good && pvf__buf_append(out, part, len) == 0;
    }
    good = pclose(pipe) == 0 && good;
    if (!good) {
        (void)fprintf(stderr, "failed: %s\n", command);
    }
    return good;
}

bool wasm_files_read_blob(const char *path, struct pvf__buf *out)
{
    static const uint8_t prefix[] = {0x52, 0xBC, 0x53, 0x76, 0x46, 0xDB, 0x8E, 0x05};
    pvf_error error = PVF_ERROR_INIT;
    size_t start = out->len;
    if (pvf__fd_read_file(path, out, &error) != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        return false;
    }
    if (out->len - start < sizeof(prefix) ||
        memcmp(out->data + start, prefix, sizeof(prefix)) != 0) {
        return true;
    }
    out->len = start;
    char command[1200];
    (void)snprintf(command, sizeof(command), "tail -c +9 '%s' | zstd -dcq --long=31", path);
    return read_command(command, out);
}

bool wasm_files_read_gzip(const char *path, struct pvf__buf *out)
{
    char command[1200];
    (void)snprintf(command, sizeof(command), "gzip -dc '%s'", path);
    return read_command(command, out);
}

const char *wasm_files_json_value(const char *line, const char *key)
{
    char start[64];
    (void)snprintf(start, sizeof(start), "\"%s\":", key);
    const char *at = strstr(line, start);
    return at == NULL ? NULL : at + strlen(start) + strspn(at + strlen(start), " ");
}

bool wasm_files_json_text(const char *line, const char *key, char *out, size_t room)
{
    const char *at = wasm_files_json_value(line, key);
    if (at == NULL || *at != '"') {
        return false;
    }
    size_t len = 0;
    for (at++; *at != '"' && *at != '\0' && len + 1 < room; at++) {
        if (*at == '\\' && (at[1] == '"' || at[1] == '\\')) {
            at++;
        }
        out[len++] = *at;
    }
    out[len] = '\0';
    return true;
}

char *wasm_files_next_line(char **at)
{
    char *line = *at;
    char *end = strchr(line, '\n');
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *at = end + 1;
    return line;
}

int wasm_files_check_index(const char *name,
                           bool (*check)(const char *line),
                           const char *what,
                           const unsigned *failures)
{
    char path[1000];
    if (!wasm_files_find(name, path, sizeof(path))) {
        (void)printf("skipped: no recorded vectors at %s (set PVF_SHARED)\n", path);
        return WASM_FILES_SKIPPED;
    }
    struct pvf__buf index = PVF__BUF_INIT(1 << 26);
    if (!wasm_files_read_blob(path, &index) || pvf__buf_u8(&index, 0) != 0) {
        return 1;
    }
    unsigned cases = 0;
    char *at = (char *)index.data;
    for (char *line = wasm_files_next_line(&at); line != NULL; line = wasm_files_next_line(&at)) {
        cases += check(line);
    }
    pvf__buf_done(&index);
    (void)printf("%u %s, %u failures\n", cases, what, *failures);
    return *failures != 0 || cases == 0;
}
