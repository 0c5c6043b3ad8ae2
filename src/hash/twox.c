/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: XXH64 under several seeds at once, written from its specification (xxHash,
 * "XXH64 Algorithm Description").  A multiplication of the input belongs to all seeds, and
 * what they do after it does not wait for each other.
 */
#include "hash/hash.h"

#include <endian.h>
#include <string.h>

#define PRIME_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME_3 UINT64_C(0x165667B19E3779F9)
#define PRIME_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME_5 UINT64_C(0x27D4EB2F165667C5)

#define STRIPE ((size_t)32)
#define LANES 4
#define WORDS_MAX 4U

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline uint64_t load_64(const uint8_t *data)
{
    uint64_t value;
    memcpy(&value, data, sizeof(value));
    return le64toh(value);
}

static inline uint64_t load_32(const uint8_t *data)
{
    uint32_t value;
    memcpy(&value, data, sizeof(value));
    return le32toh(value);
}

/* A lane after an input that was multiplied with PRIME_2. */
static inline uint64_t add_round(uint64_t lane, uint64_t product)
{
    return rotate(lane + product, 31) * PRIME_1;
}

/* The four lanes of one seed after all stripes, as one number. */
static inline uint64_t converge(const uint64_t lanes[LANES])
{
    uint64_t sum =
        rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (unsigned i = 0; i < LANES; i++) {
        sum = (sum ^ add_round(0, lanes[i] * PRIME_2)) * PRIME_1 + PRIME_4;
    }
    return sum;
}

/* Takes the whole stripes; returns how many bytes they were. */
static inline __attribute__((always_inline)) size_t
take_stripes(const uint8_t *data, size_t len, unsigned words, uint64_t *sums)
{
    uint64_t lanes[WORDS_MAX][LANES];
    for (unsigned seed = 0; seed < words; seed++) {
        lanes[seed][0] = seed + PRIME_1 + PRIME_2;
        lanes[seed][1] = seed + PRIME_2;
        lanes[seed][2] = seed;
        lanes[seed][3] = seed - PRIME_1;
    }
    size_t at = 0;
    for (; len - at >= STRIPE; at += STRIPE) {
        const uint64_t products[LANES] = {load_64(data + at) * PRIME_2,
                                          load_64(data + at + 8) * PRIME_2,
                                          load_64(data + at + 16) * PRIME_2,
                                          load_64(data + at + 24) * PRIME_2};
        for (unsigned seed = 0; seed < words; seed++) {
            for (unsigned i = 0; i < LANES; i++) {
                lanes[seed][i] = add_round(lanes[seed][i], products[i]);
            }
        }
    }
    for (unsigned seed = 0; seed < words; seed++) {
        sums[seed] = converge(lanes[seed]);
    }
    return at;
}

/* Takes what is less than a stripe. */
static inline __attribute__((always_inline)) void
take_rest(const uint8_t *data, size_t len, unsigned words, uint64_t *sums)
{
    for (; len >= 8; len -= 8, data += 8) {
        const uint64_t mixed = add_round(0, load_64(data) * PRIME_2);
        for (unsigned seed = 0; seed < words; seed++) {
            sums[seed] = rotate(sums[seed] ^ mixed, 27) * PRIME_1 + PRIME_4;
        }
    }
    if (len >= 4) {
        const uint64_t mixed = load_32(data) * PRIME_1;
        for (unsigned seed = 0; seed < words; seed++) {
            sums[seed] = rotate(sums[seed] ^ mixed, 23) * PRIME_2 + PRIME_3;
        }
        len -= 4;
        data += 4;
    }
    for (; len > 0; len--, data++) {
        const uint64_t mixed = *data * PRIME_5;
        for (unsigned seed = 0; seed < words; seed++) {
            sums[seed] = rotate(sums[seed] ^ mixed, 11) * PRIME_1;
        }
    }
}

static inline uint64_t avalanche(uint64_t sum)
{
    sum = (sum ^ sum >> 33) * PRIME_2;
    sum = (sum ^ sum >> 29) * PRIME_3;
    return sum ^ sum >> 32;
}

/* `words` is a constant in each use, so that the loops over the seeds disappear. */
static inline __attribute__((always_inline)) void
hash_words(const uint8_t *data, size_t len, unsigned words, uint8_t *out)
{
    uint64_t sums[WORDS_MAX];
    size_t taken = 0;
    if (len >= STRIPE) {
        taken = take_stripes(data, len, words, sums);
    } else {
        for (unsigned seed = 0; seed < words; seed++) {
            sums[seed] = seed + PRIME_5;
        }
    }
    for (unsigned seed = 0; seed < words; seed++) {
        sums[seed] += len;
    }
    if (taken < len) {
        take_rest(data + taken, len - taken, words, sums);
    }
    for (unsigned seed = 0; seed < words; seed++) {
        const uint64_t word = htole64(avalanche(sums[seed]));
        memcpy(out + sizeof(word) * seed, &word, sizeof(word));
    }
}

void pvf__hash_twox_64(const uint8_t *data, size_t len, uint8_t out[8])
{
    hash_words(data, len, 1, out);
}

void pvf__hash_twox_128(const uint8_t *data, size_t len, uint8_t out[16])
{
    hash_words(data, len, 2, out);
}

void pvf__hash_twox_256(const uint8_t *data, size_t len, uint8_t out[32])
{
    hash_words(data, len, 4, out);
}
