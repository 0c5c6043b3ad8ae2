/* SPDX-License-Identifier: Apache-2.0 */
/* Trie roots and proofs: recorded answers, a model, and what only hand-made nodes can show. */
#include "support/test.h"

#include "base/text.h"
#include "hash/hash.h"
#include "scale/scale.h"
#include "support/hex.h"
#include "support/trie_case.h"
#include "trie/trie.h"
#include "trie/trie_codec.h"
#include "trie/trie_sort.h"
#include "unit/trie_vectors.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_ITEMS = 64
};

static struct pvf__slice slice_of(const struct hex_bytes *bytes)
{
    return (struct pvf__slice){bytes->data, bytes->len};
}

static void assert_root(const uint8_t root[32], const char *digits)
{
    char text[65];
    pvf__text_to_hex(root, 32, text);
    assert_string_equal(text, digits);
}

/* A SCALE list of byte strings, or of pairs of them one after another. */
static size_t read_list(const struct hex_bytes *bytes, unsigned per_item, struct pvf__slice *ret)
{
    struct pvf__cursor cursor;
    uint32_t count;
    pvf__cursor_init(&cursor, bytes->data, bytes->len);
    assert_true(pvf__scale_get_compact(&cursor, &count));
    assert_true(count <= MOST_ITEMS);
    for (size_t i = 0; i < (size_t)count * per_item; i++) {
        assert_true(pvf__scale_get_bytes(&cursor, &ret[i]));
    }
    return count;
}

static void recorded_roots(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(trie_root_vectors) / sizeof(trie_root_vectors[0]); i++) {
        const struct trie_root_vector *row = &trie_root_vectors[i];
        const struct hex_bytes items = hex_read(row->items);
        const enum pvf__trie_hash hash =
            row->keccak != 0 ? PVF__TRIE_KECCAK_256 : PVF__TRIE_BLAKE2_256;
        struct pvf__slice list[2 * MOST_ITEMS];
        uint8_t root[32];
        if (row->ordered != 0) {
            size_t count = read_list(&items, 1, list);
            assert_int_equal(pvf__trie_ordered_root(hash, row->version, list, count, root), 0);
        } else {
            struct pvf__trie_pair pairs[MOST_ITEMS];
            size_t count = read_list(&items, 2, list);
            for (size_t k = 0; k < count; k++) {
                pairs[k] = (struct pvf__trie_pair){list[2 * k], list[2 * k + 1]};
            }
            assert_int_equal(pvf__trie_root(hash, row->version, pairs, count, root), 0);
        }
        assert_root(root, row->root);
    }
}

static void recorded_proofs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(trie_proof_vectors) / sizeof(trie_proof_vectors[0]); i++) {
        const struct trie_proof_vector *row = &trie_proof_vectors[i];
        const struct hex_bytes root = hex_read(row->root);
        const struct hex_bytes nodes = hex_read(row->nodes);
        const struct hex_bytes key = hex_read(row->key);
        const struct hex_bytes value = hex_read(row->value);
        const enum pvf__trie_hash hash =
            row->keccak != 0 ? PVF__TRIE_KECCAK_256 : PVF__TRIE_BLAKE2_256;
        struct pvf__slice list[MOST_ITEMS];
        size_t count = read_list(&nodes, 1, list);
        int proven = pvf__trie_verify_proof(
            hash, row->version, root.data, list, count, slice_of(&key), slice_of(&value));
        assert_int_equal(proven, row->proven);
    }
}

/* An example in both state versions: an empty key, and a value on each side of 32 bytes. */
static const char *const example_keys[4] = {"", "01", "0102", "0103"};
static const char *const example_values[4] = {"", "61", "62*32", "63*33"};
static const char *const example_roots[2] = {
    "733d9e4027b560be55381bc0866cdb598183809a4418cf7f5d0a1ffd32a5a847",
    "5e1bb5c96ad770e9a561cb85f610840ad71dee10439212511ec4c1d9a405b03e"};

static void read_all(const char *const *texts, size_t count, struct hex_bytes *bytes)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = hex_read(texts[i]);
    }
}

static void example_roots_are_right(void **state)
{
    (void)state;
    static struct hex_bytes keys[4];
    static struct hex_bytes values[4];
    read_all(example_keys, 4, keys);
    read_all(example_values, 4, values);
    uint8_t root[32];
    for (unsigned version = 0; version < 2; version++) {
        struct pvf__trie_pair pairs[4];
        for (unsigned i = 0; i < 4; i++) {
            pairs[3 - i] = (struct pvf__trie_pair){slice_of(&keys[i]), slice_of(&values[i])};
        }
        assert_int_equal(pvf__trie_root(PVF__TRIE_BLAKE2_256, version, pairs, 4, root), 0);
        assert_root(root, example_roots[version]);
    }
    assert_int_equal(pvf__trie_root(PVF__TRIE_BLAKE2_256, 1, NULL, 0, root), 0);
    assert_root(root, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314");

    static const char *const texts[3] = {"78", "", "7a*40"};
    read_all(texts, 3, values);
    const struct pvf__slice items[3] = {
        slice_of(&values[0]), slice_of(&values[1]), slice_of(&values[2])};
    assert_int_equal(pvf__trie_ordered_root(PVF__TRIE_BLAKE2_256, 0, items, 3, root), 0);
    assert_root(root, "6e10c205674adb7dc6f8445e86ef648813b61ceb17966c112e54b6384d10732d");
    assert_int_equal(pvf__trie_ordered_root(PVF__TRIE_BLAKE2_256, 1, items, 3, root), 0);
    assert_root(root, "6219aad6230e5d1d598de1b131528ea8f0ccf206ea256a5b95af4810dd7d06fb");
}

static void example_proof_is_right(void **state)
{
    (void)state;
    static const char *const texts[4] = {
        "c001000000",
        "c1010100046100",
        "800c00807e43f9d57dbdfbd9a5b26b2a2d6d1caae1b4ec3b5c2b7c11e3c9f1d8d3eeebbe00",
        "4000"};
    static struct hex_bytes nodes[4];
    struct pvf__slice proof[4];
    read_all(texts, 4, nodes);
    for (unsigned i = 0; i < 4; i++) {
        proof[i] = slice_of(&nodes[i]);
    }
    const struct hex_bytes root = hex_read(example_roots[1]);
    const struct hex_bytes key = hex_read(example_keys[3]);
    const struct hex_bytes value = hex_read(example_values[3]);
    assert_int_equal(
        pvf__trie_verify_proof(
            PVF__TRIE_BLAKE2_256, 1, root.data, proof, 4, slice_of(&key), slice_of(&value)),
        1);
}

/* Every key of a trie: its proof proves it, and not another value, nor with a node too few. */
static void prove_all(struct trie_case *item, enum pvf__trie_hash hash, unsigned version)
{
    uint8_t root[32];
    trie_model_root(item->model, hash, version, root);
    for (size_t i = 0; i < item->count; i++) {
        struct pvf__buf nodes[TRIE_CASE_NODES];
        struct pvf__slice proof[TRIE_CASE_NODES + 1];
        for (size_t k = 0; k < TRIE_CASE_NODES; k++) {
            pvf__buf_init(&nodes[k], SIZE_MAX);
        }
        const struct pvf__slice key = item->pairs[i].key;
        const struct pvf__slice value = trie_case_value(item, i);
        const size_t count =
            trie_model_prove(item->model, hash, version, key, nodes, TRIE_CASE_NODES);
        assert_true(count > 0);
        trie_case_slices(nodes, count, proof);
        assert_int_equal(pvf__trie_verify_proof(hash, version, root, proof, count, key, value), 1);
        assert_int_equal(pvf__trie_verify_proof(hash, version, root, proof, count - 1, key, value),
                         0);
        assert_int_equal(
            pvf__trie_verify_proof(hash, version, root, proof + 1, count - 1, key, value), 0);
        proof[count] = proof[count - 1];
        assert_int_equal(pvf__trie_verify_proof(hash, version, root, proof, count + 1, key, value),
                         0);
        uint8_t other[TRIE_CASE_VALUE + 1] = {0};
        if (value.len > 0) {
            memcpy(other, value.data, value.len);
        }
        const struct pvf__slice longer = {other, value.len + 1};
        assert_int_equal(pvf__trie_verify_proof(hash, version, root, proof, count, key, longer), 0);
        for (size_t k = 0; k < count; k++) {
            pvf__buf_done(&nodes[k]);
        }
    }
}

static void random_tries_agree_with_the_model(void **state)
{
    (void)state;
    static const enum pvf__trie_hash hashes[2] = {PVF__TRIE_BLAKE2_256, PVF__TRIE_KECCAK_256};
    for (uint64_t seed = 1; seed <= 300; seed++) {
        static struct trie_case item;
        trie_case_make(&item, seed);
        for (unsigned variant = 0; variant < 4; variant++) {
            const enum pvf__trie_hash hash = hashes[variant / 2];
            const unsigned version = variant % 2;
            struct pvf__trie_pair pairs[TRIE_CASE_PAIRS];
            uint8_t expected[32];
            uint8_t root[32];
            memcpy(pairs, item.pairs, sizeof(pairs));
            trie_model_root(item.model, hash, version, expected);
            assert_int_equal(pvf__trie_root(hash, version, pairs, item.count, root), 0);
            assert_memory_equal(root, expected, 32);
            if (seed % 8 == 0) {
                prove_all(&item, hash, version);
            }
        }
        trie_case_done(&item);
    }
}

static void ordered_root_has_compact_keys(void **state)
{
    (void)state;
    enum {
        MOST = 20000
    };
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 256, 257, 16383, 16384, 16385, MOST};
    struct pvf__slice *values = calloc(MOST, sizeof(*values));
    uint8_t *keys = calloc(MOST, 4);
    assert_non_null(values);
    assert_non_null(keys);
    for (size_t i = 0; i < MOST; i++) {
        values[i] = (struct pvf__slice){keys + 4 * i, i % 5};
    }
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        struct trie_model *model = trie_model_new();
        for (size_t i = 0; i < counts[c]; i++) {
            const unsigned mode = i < 64 ? 0 : i < 16384 ? 1 : 2;
            const size_t number = i << 2 | mode;
            for (unsigned k = 0; k < 4; k++) {
                keys[4 * i + k] = (uint8_t)(number >> (8 * k));
            }
            const struct pvf__slice key = {keys + 4 * i, (size_t)1 << mode};
            trie_model_insert(model, key, values[i]);
        }
        uint8_t expected[32];
        uint8_t root[32];
        trie_model_root(model, PVF__TRIE_BLAKE2_256, 0, expected);
        trie_model_free(model);
        assert_int_equal(pvf__trie_ordered_root(PVF__TRIE_BLAKE2_256, 0, values, counts[c], root),
                         0);
        assert_memory_equal(root, expected, 32);
    }
    free(values);
    free(keys);
}

/* The sort itself: stable, so that the last of equal keys is kept, and cheap on ordered input. */
static void sort_keeps_the_last_of_equal_keys(void **state)
{
    (void)state;
    struct pvf__trie_pair pairs[200];
    uint8_t bytes[200];
    for (unsigned i = 0; i < 200; i++) {
        bytes[i] = (uint8_t)(i * 37 % 16);
        pairs[i].key = (struct pvf__slice){&bytes[i], i % 3 == 0 ? 0 : 1};
        pairs[i].value = (struct pvf__slice){NULL, i};
    }
    size_t count = 0;
    assert_int_equal(pvf__trie_sort_unique(pairs, 200, &count), 0);
    assert_int_equal(count, 17);
    assert_int_equal(pairs[0].key.len, 0);
    assert_int_equal(pairs[0].value.len, 198);
    for (unsigned i = 1; i < count; i++) {
        unsigned last = 0;
        for (unsigned k = 0; k < 200; k++) {
            last = k % 3 != 0 && bytes[k] == i - 1 ? k : last;
        }
        assert_int_equal(pairs[i].key.data[0], i - 1);
        assert_int_equal(pairs[i].value.len, last);
    }
    assert_int_equal(pvf__trie_sort_unique(pairs, 0, &count), 0);
    assert_int_equal(count, 0);
}

/* 1500 keys, each the beginning of the next: as deep as keys of that size can make a trie. */
static void depth_is_no_danger(void **state)
{
    (void)state;
    enum {
        DEPTH = 1500
    };
    static uint8_t key[DEPTH];
    static struct pvf__trie_pair pairs[DEPTH];
    static struct pvf__buf nodes[DEPTH];
    static struct pvf__slice proof[DEPTH];
    memset(key, 0x5A, sizeof(key));
    struct trie_model *model = trie_model_new();
    for (size_t i = 0; i < DEPTH; i++) {
        pairs[i].key = (struct pvf__slice){key, i + 1};
        pairs[i].value = (struct pvf__slice){key, 40};
        pvf__buf_init(&nodes[i], SIZE_MAX);
        trie_model_insert(model, pairs[i].key, pairs[i].value);
    }
    const struct pvf__slice last = pairs[DEPTH - 1].key;
    uint8_t expected[32];
    uint8_t root[32];
    trie_model_root(model, PVF__TRIE_BLAKE2_256, 1, expected);
    assert_int_equal(pvf__trie_root(PVF__TRIE_BLAKE2_256, 1, pairs, DEPTH, root), 0);
    assert_memory_equal(root, expected, 32);
    const size_t count = trie_model_prove(model, PVF__TRIE_BLAKE2_256, 1, last, nodes, DEPTH);
    assert_int_equal(count, DEPTH);
    trie_case_slices(nodes, count, proof);
    assert_int_equal(
        pvf__trie_verify_proof(PVF__TRIE_BLAKE2_256, 1, root, proof, count, last, pairs[0].value),
        1);
    for (size_t i = 0; i < count; i++) {
        pvf__buf_done(&nodes[i]);
    }
    trie_model_free(model);
}

/* Around every place where the count of half bytes changes its form, and far above 16 bits. */
static void partial_keys_of_every_length(void **state)
{
    (void)state;
    enum {
        LONGEST = 70000
    };
    static uint8_t key[LONGEST];
    for (size_t i = 0; i < LONGEST; i++) {
        key[i] = (uint8_t)(i * 29 + 1);
    }
    const struct pvf__slice value = {key, 33};
    for (size_t len = 0; len <= LONGEST; len += len < 300 ? 1 : 34850) {
        for (unsigned version = 0; version < 2; version++) {
            struct pvf__trie_pair pair = {{key, len}, value};
            struct pvf__buf node = PVF__BUF_INIT(SIZE_MAX);
            struct trie_model *model = trie_model_new();
            uint8_t expected[32];
            uint8_t root[32];
            trie_model_insert(model, pair.key, value);
            trie_model_root(model, PVF__TRIE_BLAKE2_256, version, expected);
            assert_int_equal(pvf__trie_root(PVF__TRIE_BLAKE2_256, version, &pair, 1, root), 0);
            assert_memory_equal(root, expected, 32);
            assert_int_equal(
                trie_model_prove(model, PVF__TRIE_BLAKE2_256, version, pair.key, &node, 1), 1);
            const struct pvf__slice proof = {node.data, node.len};
            assert_int_equal(pvf__trie_verify_proof(
                                 PVF__TRIE_BLAKE2_256, version, root, &proof, 1, pair.key, value),
                             1);
            pvf__buf_done(&node);
            trie_model_free(model);
        }
    }
}

/*
 * One node as a proof of `key` with an empty value: the root is the hash of `filled`, which is the
 * node with the value put in.
 */
static int prove_one(const char *node_text, const char *filled_text, const char *key_text)
{
    const struct hex_bytes node = hex_read(node_text);
    const struct hex_bytes filled = hex_read(filled_text);
    const struct hex_bytes key = hex_read(key_text);
    const struct pvf__slice proof = slice_of(&node);
    uint8_t root[32];
    pvf__hash_blake2b_256(filled.data, filled.len, root);
    return pvf__trie_verify_proof(
        PVF__TRIE_BLAKE2_256, 0, root, &proof, 1, slice_of(&key), (struct pvf__slice){NULL, 0});
}

static void odd_nodes(void **state)
{
    (void)state;
    const struct {
        const char *node;
        const char *filled;
        const char *key;
        int proven;
    } rows[] = {
        /* A leaf, with bytes behind it that are dropped. */
        {"421200", "421200", "12", 1},
        {"421200ff", "421200", "12", 1},
        {"421200ff", "421200ff", "12", 0},
        /* Its value is not left out: there, hashed, or of a length in a longer form. */
        {"42120400", "42120400", "12", 0},
        {"2212 00*32", "2212 00*32", "12", 0},
        {"42120100", "421200", "12", 0},
        /* Its partial key ends early, late, elsewhere; an odd one needs a zero half byte. */
        {"410100", "410100", "12", 0},
        {"421200", "421200", "1234", 0},
        {"421200", "421200", "13", 0},
        {"4400", "4400", "12", 0},
        /* No node, and the empty one. */
        {"", "00", "12", 0},
        {"00", "00", "", 0},
        {"0100", "4000", "", 0},
        {"0f00", "4000", "", 0},
        /* A branch where the key ends: the value is left out of it, so it must have none. */
        {"82120100 0400", "c2120100 00 0400", "12", 1},
        {"c2120100 00 0400", "c2120100 00 0400", "12", 0},
        {"121201 00 00*32 0400", "121201 00 00*32 0400", "12", 0},
        {"82120000", "c2120000 00", "12", 0},
        {"82120100", "c2120100 00", "12", 0},
        /* Its other children: empty, as long as a hash, too long; a length in a longer form. */
        {"82120100 00", "c2120100 00 00", "12", 1},
        {"82120100 80 11*32", "c2120100 00 80 11*32", "12", 1},
        {"82120100 84 11*33", "c2120100 00 84 11*33", "12", 0},
        {"82120100 010411", "c2120100 00 0411", "12", 0},
        /* A leaf inside a branch, also with bytes behind it, which may even be many. */
        {"8101 0400 08 4000", "8101 0400 08 4000", "12", 1},
        {"8101 0400 0c 400000", "8101 0400 08 4000", "12", 1},
        {"8101 0400 a0 4000 00*38", "8101 0400 08 4000", "12", 1},
        {"8101 0400 0c 420300", "8101 0400 0c 420300", "1203", 1},
        {"8101 0400 0c 420300", "8101 0400 0c 420300", "1204", 0},
        {"8101 0400 0c 420300", "8101 0400 0c 420300", "12", 0},
        /* The half byte that fills up an odd count is not zero. */
        {"8111 0400 08 4000", "8101 0400 08 4000", "12", 0},
        /* The child on the way is missing, a hash, or left out with no node to follow. */
        {"8101 0800 08 4000", "8101 0800 08 4000", "12", 0},
        {"8101 0400 80 11*32", "8101 0400 80 11*32", "12", 0},
        {"8101 0400 00", "8101 0400 08 4000", "12", 0},
        /* Values above the key stay as they are. */
        {"1101 0400 22*32 08 4000", "1101 0400 22*32 08 4000", "12", 1},
        {"c101 0400 84 22*33 08 4000", "c101 0400 84 22*33 08 4000", "12", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (prove_one(rows[i].node, rows[i].filled, rows[i].key) != rows[i].proven) {
            fail_msg("row %zu: %s", i, rows[i].node);
        }
    }
}

/*
 * Nodes inside each other: eight fit into the 32 bytes of a reference, a ninth does not, whatever
 * it is made of.
 */
static void nodes_inside_nodes(void **state)
{
    (void)state;
    for (unsigned inside = 1; inside <= 14; inside++) {
        struct pvf__buf node = PVF__BUF_INIT(1024);
        assert_int_equal(pvf__buf_append(&node, "\x40\x00", 2), 0);
        /* Each branch has child 0 only; the top one's partial key makes the count even. */
        for (unsigned i = 1; i <= inside; i++) {
            const bool odd = i == inside && inside % 2 == 1;
            const uint8_t middle[3] = {0x01, 0x00, (uint8_t)(node.len << 2)};
            struct pvf__buf whole = PVF__BUF_INIT(1024);
            assert_true(node.len < 64);
            assert_int_equal(pvf__buf_append(&whole, odd ? "\x81\x00" : "\x80", odd ? 2 : 1), 0);
            assert_int_equal(pvf__buf_append(&whole, middle, 3), 0);
            assert_int_equal(pvf__buf_append(&whole, node.data, node.len), 0);
            pvf__buf_done(&node);
            node = whole;
        }
        const uint8_t key[8] = {0};
        uint8_t root[32];
        pvf__hash_blake2b_256(node.data, node.len, root);
        const struct pvf__slice proof = {node.data, node.len};
        const int proven = pvf__trie_verify_proof(PVF__TRIE_BLAKE2_256,
                                                  0,
                                                  root,
                                                  &proof,
                                                  1,
                                                  (struct pvf__slice){key, (inside + 1) / 2},
                                                  (struct pvf__slice){NULL, 0});
        assert_int_equal(proven, inside <= 8);
        pvf__buf_done(&node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_roots),
        cmocka_unit_test(recorded_proofs),
        cmocka_unit_test(example_roots_are_right),
        cmocka_unit_test(example_proof_is_right),
        cmocka_unit_test(random_tries_agree_with_the_model),
        cmocka_unit_test(ordered_root_has_compact_keys),
        cmocka_unit_test(sort_keeps_the_last_of_equal_keys),
        cmocka_unit_test(depth_is_no_danger),
        cmocka_unit_test(partial_keys_of_every_length),
        cmocka_unit_test(odd_nodes),
        cmocka_unit_test(nodes_inside_nodes),
    };
    return cmocka_run_group_tests_name("trie", tests, NULL, NULL);
}
