/* SPDX-License-Identifier: Apache-2.0 */
/* In a sanitizer build absurd allocations are refused, as malloc() without one does it. */
#include "support/test.h"

#include <stdlib.h>

/* Kept from the compiler, which may assume that an unused allocation succeeds. */
static bool can_have(volatile size_t size)
{
    void *volatile memory = malloc(size);
    bool got = memory != NULL;
    free(memory);
    return got;
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    assert_true(can_have((size_t)1 << 20));
    assert_false(can_have(((size_t)16 << 30) + 1));
    assert_false(can_have((size_t)32 << 30)); /* a table of 2^32 entries */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
