/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: Keccak-f[1600] and the sponge around it, written from "The Keccak reference" 3.0.  The
 * packaged libraries offer only the padding of FIPS 202, which is another function.
 *
 * The lane A[x, y] of that text is a[x + 5 * y].
 */
#include "crypto/keccak.h"

#include <string.h>

#define LANES 25
#define ROUNDS 24
#define STATE_BYTES 200

/* The constants of iota, from the text's linear feedback shift register. */
static const uint64_t round_constants[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000,
    0x000000000000808B, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
    0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

static inline uint64_t rotate(uint64_t lane, unsigned bits)
{
    return bits == 0 ? lane : lane << bits | lane >> (64 - bits);
}

/*
 * One lane after theta, rho and pi: lane `from` of the round's input, whose column is from % 5,
 * turned by its rho offset.
 */
#define MOVED(from, bits) rotate(in[from] ^ theta[(from) % 5], bits)

/* Chi over one plane of five moved lanes. */
static inline void
chi(uint64_t out[5], uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3, uint64_t b4)
{
    out[0] = b0 ^ (~b1 & b2);
    out[1] = b1 ^ (~b2 & b3);
    out[2] = b2 ^ (~b3 & b4);
    out[3] = b3 ^ (~b4 & b0);
    out[4] = b4 ^ (~b0 & b1);
}

/* Every index is a constant, so that the compiler keeps lanes in registers. */
static inline void one_round(const uint64_t in[LANES], uint64_t constant, uint64_t out[LANES])
{
    const uint64_t c0 = in[0] ^ in[5] ^ in[10] ^ in[15] ^ in[20];
    const uint64_t c1 = in[1] ^ in[6] ^ in[11] ^ in[16] ^ in[21];
    const uint64_t c2 = in[2] ^ in[7] ^ in[12] ^ in[17] ^ in[22];
    const uint64_t c3 = in[3] ^ in[8] ^ in[13] ^ in[18] ^ in[23];
    const uint64_t c4 = in[4] ^ in[9] ^ in[14] ^ in[19] ^ in[24];
    const uint64_t theta[5] = {c4 ^ rotate(c1, 1),
                               c0 ^ rotate(c2, 1),
                               c1 ^ rotate(c3, 1),
                               c2 ^ rotate(c4, 1),
                               c3 ^ rotate(c0, 1)};

    chi(out, MOVED(0, 0), MOVED(6, 44), MOVED(12, 43), MOVED(18, 21), MOVED(24, 14));
    chi(out + 5, MOVED(3, 28), MOVED(9, 20), MOVED(10, 3), MOVED(16, 45), MOVED(22, 61));
    chi(out + 10, MOVED(1, 1), MOVED(7, 6), MOVED(13, 25), MOVED(19, 8), MOVED(20, 18));
    chi(out + 15, MOVED(4, 27), MOVED(5, 36), MOVED(11, 10), MOVED(17, 15), MOVED(23, 56));
    chi(out + 20, MOVED(2, 62), MOVED(8, 55), MOVED(14, 39), MOVED(15, 41), MOVED(21, 2));
    out[0] ^= constant;
}

static void permute(uint64_t a[LANES])
{
    uint64_t b[LANES];
    for (unsigned i = 0; i < ROUNDS; i += 2) {
        one_round(a, round_constants[i], b);
        one_round(b, round_constants[i + 1], a);
    }
}

/* Lanes are little endian whatever the machine is. */
static uint64_t load_lane(const uint8_t *data)
{
    uint64_t lane = 0;
    for (unsigned i = 0; i < 8; i++) {
        lane |= (uint64_t)data[i] << (8 * i);
    }
    return lane;
}

static void absorb(uint64_t a[LANES], const uint8_t *block, size_t rate)
{
    for (size_t i = 0; i < rate / 8; i++) {
        a[i] ^= load_lane(block + 8 * i);
    }
    permute(a);
}

/* The capacity is twice the result, as in the contest's four fixed functions. */
static void sponge(const uint8_t *data, size_t len, uint8_t *out, size_t out_len)
{
    const size_t rate = STATE_BYTES - 2 * out_len;
    uint64_t a[LANES] = {0};
    while (len >= rate) {
        absorb(a, data, rate);
        data += rate;
        len -= rate;
    }
    uint8_t last[STATE_BYTES] = {0};
    if (len > 0) {
        memcpy(last, data, len);
    }
    last[len] = 0x01;
    last[rate - 1] |= 0x80;
    absorb(a, last, rate);
    for (size_t i = 0; i < out_len; i++) {
        out[i] = (uint8_t)(a[i / 8] >> (8 * (i % 8)));
    }
}

void pvf__keccak_256(const uint8_t *data, size_t len, uint8_t out[32])
{
    sponge(data, len, out, 32);
}

void pvf__keccak_512(const uint8_t *data, size_t len, uint8_t out[64])
{
    sponge(data, len, out, 64);
}
