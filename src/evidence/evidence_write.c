/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the order in which a bundle comes to be. */
#include "evidence/evidence.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "evidence/evidence_folder.h"
#include "evidence/evidence_manifest.h"
#include "evidence/evidence_name.h"
#include "evidence/evidence_room.h"
#include "hash/hash.h"
#include "proto/validation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A manifest has a few KiB; parameters and texts are bounded. */
#define MANIFEST_MAX ((size_t)4 << 20)

static struct pvf__slice slice_of(pvf_bytes bytes)
{
    /* A file that is empty is there all the same. */
    static const uint8_t none[1];
    return (struct pvf__slice){.data = bytes.len > 0 ? bytes.data : none, .len = bytes.len};
}

/* Is the code that is kept under this name what its name says? */
static bool is_kept(const struct pvf__evidence_folder *folder,
                    const char *hash,
                    const struct pvf__evidence *evidence)
{
    uint8_t found[32];
    struct stat info;
    PVF__CLEANUP_BUF struct pvf__buf bytes = PVF__BUF_INIT(evidence->code.len);
    PVF__CLEANUP_FD int fd =
        openat(folder->codes, hash, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
        (uint64_t)info.st_size != evidence->code.len ||
        pvf__fd_read_all(fd, hash, &bytes, NULL) != 0) {
        return false;
    }
    pvf__hash_blake2b_256(bytes.data, bytes.len, found);
    return memcmp(found, evidence->code_hash, sizeof(found)) == 0;
}

/*
 * The code as a link to the one that is kept, or as a file of its own that is kept from now on.  On
 * a file system without hard links, or when there are too many, each bundle has its own.
 */
static int put_code(const struct pvf__evidence_folder *folder,
                    int bundle,
                    const struct pvf__evidence *evidence,
                    pvf_error *err)
{
    char hash[65];
    pvf__text_to_hex(evidence->code_hash, 32, hash);
    if (is_kept(folder, hash, evidence) &&
        linkat(folder->codes, hash, bundle, PVF__EVIDENCE_CODE, 0) == 0) {
        return 0;
    }
    int status = pvf__evidence_file_make(
        bundle, PVF__EVIDENCE_CODE, evidence->code.data, evidence->code.len, err);
    if (status == 0) {
        /* What is there under this name is damaged: whoever has a link to it keeps that. */
        (void)unlinkat(folder->codes, hash, 0);
        (void)!linkat(bundle, PVF__EVIDENCE_CODE, folder->codes, hash, 0);
    }
    return status;
}

static int put_files(const struct pvf__evidence_folder *folder,
                     int bundle,
                     const struct pvf__evidence *evidence,
                     const struct pvf__evidence_files *files,
                     pvf_error *err)
{
    PVF__CLEANUP_BUF struct pvf__buf manifest = PVF__BUF_INIT(MANIFEST_MAX);
    const struct {
        const char *name;
        struct pvf__slice bytes;
    } list[] = {{PVF__EVIDENCE_PVD, files->pvd},
                {PVF__EVIDENCE_POV, files->pov},
                {PVF__EVIDENCE_RESULT, files->result}};
    int status = put_code(folder, bundle, evidence, err);
    for (size_t i = 0; status == 0 && i < sizeof(list) / sizeof(list[0]); i++) {
        if (list[i].bytes.data != NULL) {
            status = pvf__evidence_file_make(
                bundle, list[i].name, list[i].bytes.data, list[i].bytes.len, err);
        }
    }
    if (status != 0) {
        return status;
    }
    pvf__evidence_manifest(evidence, files, &manifest);
    if (manifest.failed != 0) {
        return pvf__error_set(err, manifest.failed, "no room for the manifest of a bundle");
    }
    return pvf__evidence_file_make(
        bundle, PVF__EVIDENCE_MANIFEST, manifest.data, manifest.len, err);
}

/* Writes under the temporary name and makes room; the bundle is still without its own. */
static int put_bundle(const struct pvf__evidence_folder *folder,
                      const char *temporary,
                      uint64_t max_bytes,
                      const struct pvf__evidence *evidence,
                      const struct pvf__evidence_files *files,
                      pvf_error *err)
{
    if (mkdirat(folder->fd, temporary, 0700) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make a folder in %s", folder->path);
    }
    PVF__CLEANUP_FD int bundle =
        openat(folder->fd, temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (bundle < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open a folder in %s", folder->path);
    }
    int status = put_files(folder, bundle, evidence, files, err);
    return status != 0
               ? status
               : pvf__evidence_room_make(folder, max_bytes, temporary, evidence->code.len, err);
}

static int write_bundle(const struct pvf__evidence_folder *folder,
                        uint64_t max_bytes,
                        const struct pvf__evidence *evidence,
                        const struct pvf__evidence_files *files,
                        char out[PATH_MAX],
                        pvf_error *err)
{
    char name[PVF__EVIDENCE_NAME_SIZE];
    char temporary[PVF__EVIDENCE_NAME_SIZE];
    char path[PATH_MAX];
    int status = pvf__evidence_name_make(name, err);
    if (status != 0) {
        return status;
    }
    (void)snprintf(temporary, sizeof(temporary), "%.32s" PVF__EVIDENCE_TEMPORARY, name);
    int len = snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the path of %s is too long", folder->path);
    }
    status = put_bundle(folder, temporary, max_bytes, evidence, files, err);
    if (status == 0 && renameat(folder->fd, temporary, folder->fd, name) != 0) {
        status =
            pvf__error_errno(err, PVF_ERR_IO, errno, "cannot name a bundle in %s", folder->path);
    }
    if (status != 0) {
        /* What stays is removed by a later writer. */
        (void)pvf__evidence_remove(folder->fd, temporary);
        return status;
    }
    memcpy(out, path, (size_t)len + 1);
    return 0;
}

static void put_pvd(const pvf_execute_request *execution, struct pvf__buf *buf)
{
    struct pvf__persisted_validation_data pvd = {
        .parent_head = {.data = execution->parent_head.data, .len = execution->parent_head.len},
        .relay_parent_number = execution->relay_parent_number,
        .max_pov_size = execution->max_pov_size,
    };
    memcpy(pvd.relay_parent_storage_root, execution->relay_parent_storage_root, 32);
    pvf__persisted_validation_data_put(buf, &pvd);
}

int pvf__evidence_write(const char *folder,
                        uint64_t max_bytes,
                        const struct pvf__evidence *evidence,
                        char out[PATH_MAX],
                        pvf_error *err)
{
    PVF__CLEANUP_EVIDENCE_FOLDER struct pvf__evidence_folder open = PVF__EVIDENCE_FOLDER_NONE;
    const pvf_execute_request *execution = evidence->execution;
    if ((evidence->outcome == NULL && evidence->preparation == NULL) ||
        (evidence->outcome != NULL && execution == NULL)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "evidence of what?");
    }
    uint64_t need = evidence->code.len + (execution != NULL ? execution->pov.len : 0);
    if (need > max_bytes) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "a bundle of %llu bytes, and all together may have %llu",
                              (unsigned long long)need,
                              (unsigned long long)max_bytes);
    }
    PVF__CLEANUP_BUF struct pvf__buf pvd =
        PVF__BUF_INIT((execution != NULL ? execution->parent_head.len : 0) + 64);
    struct pvf__evidence_files files = {.pvd = {.data = NULL}};
    if (execution != NULL) {
        put_pvd(execution, &pvd);
        files.pvd = (struct pvf__slice){.data = pvd.data, .len = pvd.len};
        files.pov = slice_of(execution->pov);
    }
    if (evidence->outcome != NULL && evidence->outcome->result != NULL) {
        files.result = (struct pvf__slice){.data = evidence->outcome->result,
                                           .len = evidence->outcome->result_len};
    }
    if (pvd.failed != 0) {
        return pvf__error_set(err, pvd.failed, "no room for the validation data of a bundle");
    }
    int status = pvf__evidence_folder_open(folder, &open, err);
    return status != 0 ? status : write_bundle(&open, max_bytes, evidence, &files, out, err);
}
