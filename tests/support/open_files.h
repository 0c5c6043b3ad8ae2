/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_OPEN_FILES_H
#define PVF_TESTS_SUPPORT_OPEN_FILES_H

#include "support/test.h"

#include <dirent.h>

/* How many descriptors this process has, and a few more; for comparing. */
static inline size_t open_files(void)
{
    size_t count = 0;
    DIR *list = opendir("/proc/self/fd");
    assert_non_null(list);
    while (readdir(list) != NULL) {
        count++;
    }
    (void)closedir(list);
    return count;
}

#endif
