/* SPDX-License-Identifier: Apache-2.0 */
/* Every bit flip and every cut of a good proof must make it no proof; bytes at its ends must not.
 */
#include "support/test.h"

#include "support/trie_case.h"
#include "trie/trie.h"

#include <string.h>

struct sample {
    enum pvf__trie_hash hash;
    unsigned version;
    uint8_t root[32];
    struct pvf__buf nodes[TRIE_CASE_NODES];
    struct pvf__slice proof[TRIE_CASE_NODES];
    size_t count;
    struct pvf__slice key;
    struct pvf__slice value;
};

static int verdict(const struct sample *sample)
{
    return pvf__trie_verify_proof(sample->hash,
                                  sample->version,
                                  sample->root,
                                  sample->proof,
                                  sample->count,
                                  sample->key,
                                  sample->value);
}

/* Asserts that no single flipped bit of these bytes, which the sample uses, is accepted. */
static void flip_all(const struct sample *sample, uint8_t *data, size_t len)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(verdict(sample), 0);
        data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void mutate_node(struct sample *sample, size_t index)
{
    struct pvf__buf *node = &sample->nodes[index];
    struct pvf__slice *slice = &sample->proof[index];
    flip_all(sample, node->data, node->len);
    for (size_t len = 0; len < node->len; len++) {
        slice->len = len;
        assert_int_equal(verdict(sample), 0);
    }
    slice->len = node->len;
    assert_int_equal(pvf__buf_append(node, "\xFF\x00", 2), 0);
    *slice = (struct pvf__slice){node->data, node->len};
    assert_int_equal(verdict(sample), 1);
    node->len -= 2;
    slice->len = node->len;

    /* The next node in its place, unless that looks the same, or none. */
    const struct pvf__slice kept = *slice;
    if (index + 1 < sample->count) {
        const struct pvf__slice next = sample->proof[index + 1];
        const bool same = next.len == kept.len && memcmp(next.data, kept.data, kept.len) == 0;
        *slice = next;
        assert_int_equal(verdict(sample), same ? 1 : 0);
    }
    *slice = (struct pvf__slice){NULL, 0};
    assert_int_equal(verdict(sample), 0);
    *slice = kept;
}

static void mutate_all(struct sample *sample)
{
    assert_int_equal(verdict(sample), 1);
    for (size_t i = 0; i < sample->count; i++) {
        mutate_node(sample, i);
    }
    flip_all(sample, sample->root, sizeof(sample->root));
    uint8_t copy[TRIE_CASE_VALUE];
    const struct pvf__slice key = sample->key;
    const struct pvf__slice value = sample->value;
    if (key.len > 0) {
        memcpy(copy, key.data, key.len);
        sample->key.data = copy;
        flip_all(sample, copy, key.len);
        sample->key.len = key.len - 1;
        assert_int_equal(verdict(sample), 0);
    }
    sample->key = key;
    if (value.len > 0) {
        memcpy(copy, value.data, value.len);
        sample->value.data = copy;
        flip_all(sample, copy, value.len);
        sample->value.len = value.len - 1;
        assert_int_equal(verdict(sample), 0);
    }
    sample->value = value;
    assert_int_equal(verdict(sample), 1);
}

static void changed_proofs_prove_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < 1150; seed++) {
        static struct trie_case item;
        trie_case_make(&item, seed);
        if (item.count > 0) {
            struct sample sample = {.hash =
                                        seed % 3 == 0 ? PVF__TRIE_KECCAK_256 : PVF__TRIE_BLAKE2_256,
                                    .version = (unsigned)(seed % 2)};
            const size_t chosen = trie_case_random(&item, (unsigned)item.count);
            for (size_t i = 0; i < TRIE_CASE_NODES; i++) {
                pvf__buf_init(&sample.nodes[i], SIZE_MAX);
            }
            sample.key = item.pairs[chosen].key;
            sample.value = trie_case_value(&item, chosen);
            trie_model_root(item.model, sample.hash, sample.version, sample.root);
            sample.count = trie_model_prove(
                item.model, sample.hash, sample.version, sample.key, sample.nodes, TRIE_CASE_NODES);
            trie_case_slices(sample.nodes, sample.count, sample.proof);
            mutate_all(&sample);
            for (size_t i = 0; i < sample.count; i++) {
                pvf__buf_done(&sample.nodes[i]);
            }
        }
        trie_case_done(&item);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_proofs_prove_nothing),
    };
    return cmocka_run_group_tests_name("trie_mutate", tests, NULL, NULL);
}
