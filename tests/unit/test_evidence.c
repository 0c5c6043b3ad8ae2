/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence bundles: what is in one, that codes are kept once, that the folder stays in its bound.
 */
#include "support/test.h"

#include "base/fd.h"
#include "base/text.h"
#include "evidence/evidence.h"
#include "evidence/evidence_name.h"
#include "hash/hash.h"
#include "pvf/status.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096u
#define PLENTY ((uint64_t)1 << 30)

static char top[64];
static char folder[96];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(top, sizeof(top), "/tmp/pvf-evidence-XXXXXX");
    if (mkdtemp(top) == NULL) {
        return -1;
    }
    (void)snprintf(folder, sizeof(folder), "%s/evidence", top);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
    return system(command); /* NOLINT(cert-env33-c): a test's own folder */
}

static const char *in_folder(const char *file)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    return path;
}

/* Files and folders in a folder, without the two that every folder has. */
static size_t count(const char *path)
{
    size_t found = 0;
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        found += entry->d_name[0] == '.' ? 0 : 1;
    }
    (void)closedir(list);
    return found;
}

/* A candidate whose PoV is `pov_len` bytes long, and what came of it. */
struct sample {
    uint8_t code[3000];
    uint8_t head[5];
    uint8_t *pov;
    pvf_execute_request execution;
    pvf_outcome outcome;
    pvf_prepare_outcome preparation;
    struct pvf__evidence evidence;
};

static void make(struct sample *sample, uint8_t code, size_t pov_len)
{
    static const uint8_t digest[32] = {10};
    memset(sample, 0, sizeof(*sample));
    memset(sample->code, code, sizeof(sample->code));
    memcpy(sample->head, "\x01\x02\x03\x04\x05", sizeof(sample->head));
    sample->pov = malloc(pov_len + 1);
    assert_non_null(sample->pov);
    memset(sample->pov, 0x5A, pov_len);
    sample->execution = (pvf_execute_request){
        .timeout_ms = 2000,
        .parent_head = {.data = sample->head, .len = sizeof(sample->head)},
        .relay_parent_number = 7,
        .max_pov_size = 1000,
        .pov = {.data = sample->pov, .len = pov_len},
    };
    sample->outcome = (pvf_outcome){.verdict = PVF_VERDICT_INVALID,
                                    .reason = PVF_REASON_REPORTED_INVALID,
                                    .text = "a \"trap\"\n\x1b[31m"};
    sample->preparation = (pvf_prepare_outcome){.ok = true, .artifact_size = 9};
    sample->evidence = (struct pvf__evidence){
        .code = {.data = sample->code, .len = sizeof(sample->code)},
        .execution = &sample->execution,
        .kind = "backing",
        .outcome = &sample->outcome,
        .preparation = &sample->preparation,
        .prepare_worker = {.path = "/p", .version = "1", .size = 7, .blake2b_256 = digest},
        .execute_worker = {.path = "/e"},
    };
    pvf__hash_blake2b_256(sample->code, sizeof(sample->code), sample->evidence.code_hash);
}

/* Writes one and frees the sample; the path is empty when that failed. */
static const char *put(uint8_t code, size_t pov_len, uint64_t max_bytes, int *ret_status)
{
    static char path[PATH_MAX];
    struct sample sample;
    pvf_error err = PVF_ERROR_INIT;
    make(&sample, code, pov_len);
    path[0] = '\0';
    *ret_status = pvf__evidence_write(folder, max_bytes, &sample.evidence, path, &err);
    free(sample.pov);
    return path;
}

static const char *put_well(uint8_t code, size_t pov_len, uint64_t max_bytes)
{
    int status;
    const char *path = put(code, pov_len, max_bytes, &status);
    assert_int_equal(status, 0);
    return path;
}

static void read_bundle(const char *bundle, const char *file, struct pvf__buf *buf)
{
    char path[PATH_MAX + 32];
    (void)snprintf(path, sizeof(path), "%s/%s", bundle, file);
    pvf__buf_init(buf, 1 << 20);
    assert_int_equal(pvf__fd_read_file(path, buf, NULL), 0);
}

static void has_file(const char *bundle, const char *file, const void *data, size_t len)
{
    struct pvf__buf buf;
    read_bundle(bundle, file, &buf);
    assert_int_equal(buf.len, len);
    assert_memory_equal(buf.data, data, len);
    pvf__buf_done(&buf);
}

static void a_bundle_holds_the_inputs_and_the_outcome(void **state)
{
    (void)state;
    static const uint8_t pvd[5 + 1 + 4 + 32 + 4] = {
        5 << 2, 1, 2, 3, 4, 5, 7, [42] = 0xE8, [43] = 0x03};
    static const char *const says[] = {
        "\"format\":\"pvf-evidence\"",
        "\"version\":1",
        "\"executor_params\":\"0x00\"",
        "\"verdict\":1",
        "\"reason_name\":\"reported invalid\"",
        "a \\u0022trap\\u0022\\u000a\\u001b[31m",
        "\"kind\":\"backing\"",
        ("\"prepare_worker\":{\"path\":\"/p\",\"version\":\"1\",\"size\":7,"
         "\"blake2b_256\":\"0x0a000000"),
        "\"execute_worker\":{\"path\":\"/e\"}",
        "\"processors\":"};
    uint8_t code[3000];
    struct pvf__buf manifest;
    memset(code, 'c', sizeof(code));
    const char *path = put_well('c', 3, PLENTY);
    has_file(path, "code", code, sizeof(code));
    has_file(path, "pov", "ZZZ", 3);
    has_file(path, "pvd.scale", pvd, sizeof(pvd));
    read_bundle(path, "manifest.json", &manifest);
    assert_int_equal(pvf__buf_u8(&manifest, 0), 0);
    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        if (strstr((const char *)manifest.data, says[i]) == NULL) {
            fail_msg("the manifest lacks %s: %s", says[i], (const char *)manifest.data);
        }
    }
    pvf__buf_done(&manifest);
    assert_int_equal(count(path), 4);
}

static void a_valid_one_has_its_result_too(void **state)
{
    (void)state;
    struct sample sample;
    char path[PATH_MAX];
    make(&sample, 'c', 0);
    uint8_t result[4] = {9, 8, 7, 6};
    sample.outcome = (pvf_outcome){.result = result, .result_len = sizeof(result)};
    assert_int_equal(pvf__evidence_write(folder, PLENTY, &sample.evidence, path, NULL), 0);
    has_file(path, "result.scale", result, sizeof(result));
    has_file(path, "pov", "", 0);
    free(sample.pov);
}

static void a_preparation_alone_is_enough(void **state)
{
    (void)state;
    struct sample sample;
    char path[PATH_MAX];
    make(&sample, 'c', 0);
    sample.preparation = (pvf_prepare_outcome){.error = 1, .name = "Preparation"};
    sample.evidence.execution = NULL;
    assert_int_equal(pvf__evidence_write(folder, PLENTY, &sample.evidence, path, NULL),
                     PVF_ERR_INVALID_ARG);
    sample.evidence.outcome = NULL;
    assert_int_equal(pvf__evidence_write(folder, PLENTY, &sample.evidence, path, NULL), 0);
    assert_int_equal(count(path), 2);
    sample.evidence.preparation = NULL;
    assert_int_equal(pvf__evidence_write(folder, PLENTY, &sample.evidence, path, NULL),
                     PVF_ERR_INVALID_ARG);
    free(sample.pov);
}

static void only_the_owner_may_read(void **state)
{
    (void)state;
    static const char *const files[] = {"manifest.json", "code", "pvd.scale", "pov"};
    struct stat info;
    mode_t before = umask(0);
    const char *path = put_well('c', 3, PLENTY);
    (void)umask(before);
    assert_int_equal(stat(folder, &info), 0);
    assert_int_equal(info.st_mode & 07777u, 0700);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777u, 0700);
    for (size_t i = 0; i < 4; i++) {
        char file[PATH_MAX + 32];
        (void)snprintf(file, sizeof(file), "%s/%s", path, files[i]);
        assert_int_equal(stat(file, &info), 0);
        assert_int_equal(info.st_mode & 07777u, 0600);
    }
}

static void codes_are_kept_once(void **state)
{
    (void)state;
    struct stat info;
    char code[PATH_MAX + 32];
    for (int i = 0; i < 3; i++) {
        (void)snprintf(code, sizeof(code), "%s/code", put_well('c', 3, PLENTY));
    }
    (void)put_well('d', 3, PLENTY);
    assert_int_equal(count(in_folder("code")), 2);
    assert_int_equal(stat(code, &info), 0);
    assert_int_equal(info.st_nlink, 4);
}

static void a_damaged_code_is_not_used_again(void **state)
{
    (void)state;
    uint8_t code[3000];
    char hex[65];
    char kept[80];
    uint8_t hash[32];
    memset(code, 'c', sizeof(code));
    pvf__hash_blake2b_256(code, sizeof(code), hash);
    pvf__text_to_hex(hash, 32, hex);
    (void)snprintf(kept, sizeof(kept), "code/%s", hex);
    (void)put_well('c', 3, PLENTY);
    /* Of the same length, as a crash may leave it. */
    memset(code, 0, sizeof(code));
    assert_int_equal(pvf__fd_write_file(in_folder(kept), 0600, code, sizeof(code), NULL), 0);
    memset(code, 'c', sizeof(code));
    has_file(put_well('c', 3, PLENTY), "code", code, sizeof(code));
    has_file(folder, kept, code, sizeof(code));
}

/* The oldest bundle by name, for a look at what is left. */
static void oldest(char out[64])
{
    DIR *list = opendir(folder);
    out[0] = '\0';
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        bool temporary;
        if (pvf__evidence_name_is(entry->d_name, &temporary) && !temporary &&
            (out[0] == '\0' || strcmp(entry->d_name, out) < 0)) {
            (void)snprintf(out, 64, "%s", entry->d_name);
        }
    }
    (void)closedir(list);
}

/* A bundle with a PoV of one block: folder, PoV, validation data, manifest; and its code. */
#define ONE (4u * BLOCK)
#define WITH_CODE (ONE + BLOCK)

static void the_oldest_make_room(void **state)
{
    (void)state;
    char first[PATH_MAX];
    char second[64];
    (void)snprintf(first, sizeof(first), "%s", put_well('a', BLOCK, PLENTY));
    const char *path = put_well('b', BLOCK, PLENTY);
    (void)snprintf(second, sizeof(second), "%s", strrchr(path, '/') + 1);
    (void)put_well('b', BLOCK, WITH_CODE + 2 * ONE);
    assert_int_equal(access(first, F_OK), -1);
    char left[64];
    oldest(left);
    assert_string_equal(left, second);
    /* The code of the first went with it. */
    assert_int_equal(count(in_folder("code")), 1);
    /* A lower bound takes all but the one that is written. */
    path = put_well('b', BLOCK, WITH_CODE);
    oldest(left);
    assert_string_equal(left, strrchr(path, '/') + 1);
    assert_int_equal(count(folder), 2);
}

static void what_is_too_large_leaves_nothing(void **state)
{
    (void)state;
    int status;
    (void)put_well('a', 3, PLENTY);
    char before[64];
    oldest(before);
    (void)put('b', BLOCK, BLOCK, &status);
    assert_int_equal(status, PVF_ERR_LIMIT);
    char after[64];
    oldest(after);
    assert_string_equal(after, before);
    assert_int_equal(count(folder), 2);
    /* Its inputs fit, but not all of it. */
    (void)put('b', BLOCK, WITH_CODE - 1, &status);
    assert_int_equal(status, PVF_ERR_LIMIT);
    oldest(after);
    assert_string_equal(after, before);
    assert_int_equal(count(folder), 2);
}

static void there_are_not_too_many(void **state)
{
    (void)state;
    char path[160];
    for (unsigned i = 0; i < PVF__EVIDENCE_BUNDLES_MAX + 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/20200101T000000.%06uZ-0000000a", folder, i);
        if (i == 0) {
            assert_int_equal(mkdir(folder, 0700), 0);
        }
        assert_int_equal(mkdir(path, 0700), 0);
    }
    (void)put_well('a', 3, PLENTY);
    assert_int_equal(count(folder), PVF__EVIDENCE_BUNDLES_MAX + 1);
    char left[64];
    oldest(left);
    assert_string_equal(left, "20200101T000000.000004Z-0000000a");
}

static void unfinished_ones_go_and_foreign_ones_stay(void **state)
{
    (void)state;
    static const char *const foreign[] = {"notes",
                                          "20200101T000000.000000Z-0000000",
                                          "20200101T000000.000000Z-0000000A",
                                          "20200101T000000.000000Z-0000000a.bak",
                                          "20200101X000000.000000Z-0000000a"};
    char unfinished[160];
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        assert_int_equal(mkdir(in_folder(foreign[i]), 0700), 0);
    }
    (void)snprintf(
        unfinished, sizeof(unfinished), "%s", in_folder("20200101T000000.000000Z-0000000a.tmp"));
    assert_int_equal(mkdir(unfinished, 0700), 0);
    /* Another process may be writing it. */
    (void)put_well('a', 3, WITH_CODE + BLOCK);
    assert_int_equal(access(unfinished, F_OK), 0);
    assert_int_equal(utimensat(AT_FDCWD, unfinished, old, 0), 0);
    (void)put_well('a', 3, PLENTY);
    assert_int_equal(access(unfinished, F_OK), -1);
    (void)put_well('a', 3, WITH_CODE);
    assert_int_equal(count(folder), 5 + 2);
}

static void unsafe_folders_are_refused(void **state)
{
    (void)state;
    int status;
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(chmod(folder, 0770), 0);
    (void)put('a', 3, PLENTY, &status);
    assert_int_equal(status, PVF_ERR_INVALID_ARG);
    assert_int_equal(count(folder), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    /* A link in the place of the codes leads elsewhere. */
    assert_int_equal(symlink("/tmp", in_folder("code")), 0);
    (void)put('a', 3, PLENTY, &status);
    assert_int_equal(status, PVF_ERR_INVALID_ARG);
    assert_int_equal(unlink(in_folder("code")), 0);
    (void)snprintf(folder, sizeof(folder), "%s/not/there", top);
    (void)put('a', 3, PLENTY, &status);
    assert_int_equal(status, PVF_ERR_IO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_bundle_holds_the_inputs_and_the_outcome),
        TEST(a_valid_one_has_its_result_too),
        TEST(a_preparation_alone_is_enough),
        TEST(only_the_owner_may_read),
        TEST(codes_are_kept_once),
        TEST(a_damaged_code_is_not_used_again),
        TEST(the_oldest_make_room),
        TEST(what_is_too_large_leaves_nothing),
        TEST(there_are_not_too_many),
        TEST(unfinished_ones_go_and_foreign_ones_stay),
        TEST(unsafe_folders_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
