/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over files and folders: the corpus in ctest, or a single crash by hand.  Each
 * input is also run cut short at a few places, which finds reads past the end that the whole file
 * does not.
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static size_t runs;

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    static uint8_t data[1 << 22];
    size_t len = fread(data, 1, sizeof(data), file);
    (void)fclose(file);
    for (size_t cut = 0; cut <= 8; cut++) {
        size_t part = cut == 8 ? len : len * cut / 8;
        /* A fresh allocation of the exact size, so that a sanitizer sees the border. */
        uint8_t *copy = malloc(part > 0 ? part : 1);
        if (copy == NULL) {
            return 1;
        }
        memcpy(copy, data, part);
        (void)LLVMFuzzerTestOneInput(copy, part);
        free(copy);
        runs++;
    }
    return 0;
}

static int run_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return 1;
    }
    int failed = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char name[4096];
        if (entry->d_name[0] != '.') {
            (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            failed |= run_file(name);
        }
    }
    (void)closedir(folder);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            perror(argv[i]);
            return 1;
        }
        failed |= S_ISDIR(info.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
    }
    if (runs == 0) {
        (void)fprintf(stderr, "no input was run: the corpus is missing\n");
        return 1;
    }
    (void)printf("%zu inputs run\n", runs);
    return failed;
}
