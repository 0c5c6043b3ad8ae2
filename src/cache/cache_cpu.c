/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the fingerprint of this processor.  It holds every feature that a compiler could use, not
 * only those that today's engine does: a needless difference costs one preparation, a missed one
 * runs code that this processor does not have.
 */
#include "cache/cache_identity.h"

#include "base/error.h"
#include "hash/hash.h"
#include "pvf/status.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

enum {
    EAX,
    EBX,
    ECX,
    EDX
};

#define BIT(n) (1u << (n))

/*
 * Bits of CPUID that are instruction sets.  Left out: what the kernel turns on and off (OSXSAVE,
 * OSPKE), what differs between cores (APIC), what microcode updates change (TSX, speculation
 * controls), and HTT, which the firmware's menu decides.
 */
static const struct {
    uint32_t leaf;
    uint32_t subleaf;
    int which;
    uint32_t mask;
} features[] = {
    /* x87, CX8, CMOV, CLFSH, MMX, FXSR, SSE, SSE2 */
    {1, 0, EDX, BIT(0) | BIT(8) | BIT(15) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26)},
    /* SSE3, PCLMUL, SSSE3, FMA, CX16, SSE4.1, SSE4.2 */
    {1, 0, ECX, BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(19) | BIT(20)},
    /* MOVBE, POPCNT, AES, XSAVE, AVX, F16C, RDRAND */
    {1, 0, ECX, BIT(22) | BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30)},
    /* FSGSBASE, BMI1, AVX2, BMI2, ERMS, AVX-512 F and DQ, RDSEED, ADX */
    {7, 0, EBX, BIT(0) | BIT(3) | BIT(5) | BIT(8) | BIT(9) | BIT(16) | BIT(17) | BIT(18) | BIT(19)},
    /* AVX-512 IFMA, CLFLUSHOPT, CLWB, AVX-512 PF, ER, CD, SHA, AVX-512 BW, VL */
    {7, 0, EBX, BIT(21) | BIT(23) | BIT(24) | BIT(26) | BIT(27) | BIT(28) | BIT(29)},
    {7, 0, EBX, BIT(30) | BIT(31)},
    /* VBMI, WAITPKG, VBMI2, CET, GFNI, VAES, VPCLMULQDQ, VNNI, BITALG, VPOPCNTDQ, RDPID, MOVDIRI */
    {7, 0, ECX, BIT(1) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(11)},
    {7, 0, ECX, BIT(12) | BIT(14) | BIT(22) | BIT(27) | BIT(28)},
    /* AVX-512 4VNNIW, 4FMAPS, FSRM, VP2INTERSECT, SERIALIZE, IBT, AMX, AVX-512 FP16 */
    {7, 0, EDX, BIT(2) | BIT(3) | BIT(4) | BIT(8) | BIT(14) | BIT(20) | BIT(22) | BIT(23)},
    {7, 0, EDX, BIT(24) | BIT(25)},
    /* SHA512, SM3, SM4, AVX-VNNI, AVX-512 BF16, CMPccXADD, FZRM, FSRS, FSRC, AMX-FP16, AVX-IFMA */
    {7, 1, EAX, BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(5) | BIT(7) | BIT(10) | BIT(11)},
    {7, 1, EAX, BIT(12) | BIT(21) | BIT(23)},
    /* AVX-VNNI-INT8, AVX-NE-CONVERT, AMX-COMPLEX, AVX-VNNI-INT16, AVX10, APX */
    {7, 1, EDX, BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19) | BIT(21)},
    /* LAHF, LZCNT, SSE4A, PREFETCHW, XOP, FMA4, TBM */
    {0x80000001u, 0, ECX, BIT(0) | BIT(5) | BIT(6) | BIT(8) | BIT(11) | BIT(16) | BIT(21)},
    /* RDTSCP, long mode, 3DNow */
    {0x80000001u, 0, EDX, BIT(27) | BIT(29) | BIT(30) | BIT(31)},
};

#define FEATURES (sizeof(features) / sizeof(features[0]))

/* Registers that the kernel saves: a set without its registers cannot be used. */
static uint32_t saved_state(void)
{
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & BIT(27)) == 0) {
        return 0;
    }
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a;
}

int pvf__cache_cpu(uint8_t out[32], pvf_error *err)
{
    uint32_t words[FEATURES + 1] = {0};
    (void)err;
    for (size_t i = 0; i < FEATURES; i++) {
        uint32_t regs[4] = {0};
        /* A leaf that does not exist has no features. */
        if (__get_cpuid_count(features[i].leaf,
                              features[i].subleaf,
                              &regs[EAX],
                              &regs[EBX],
                              &regs[ECX],
                              &regs[EDX]) != 0) {
            words[i] = regs[features[i].which] & features[i].mask;
        }
    }
    words[FEATURES] = saved_state();
    pvf__cache_cpu_of("x86-64", words, FEATURES + 1, out);
    return 0;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

int pvf__cache_cpu(uint8_t out[32], pvf_error *err)
{
    unsigned long one = getauxval(AT_HWCAP);
    unsigned long two = getauxval(AT_HWCAP2);
    const uint32_t words[4] = {
        (uint32_t)one, (uint32_t)(one >> 32), (uint32_t)two, (uint32_t)(two >> 32)};
    if (one == 0) {
        return pvf__error_set(
            err, PVF_ERR_UNSUPPORTED, "this kernel does not tell the processor's features");
    }
    pvf__cache_cpu_of("aarch64", words, 4, out);
    return 0;
}

#else

int pvf__cache_cpu(uint8_t out[32], pvf_error *err)
{
    (void)out;
    return pvf__error_set(
        err, PVF_ERR_UNSUPPORTED, "the features of this processor's family cannot be told");
}

#endif

void pvf__cache_cpu_of(const char *family, const uint32_t *words, size_t count, uint8_t out[32])
{
    char text[512];
    size_t len = (size_t)snprintf(text, sizeof(text), "%.32s", family);
    for (size_t i = 0; i < count && len < sizeof(text) - 16; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, " %08x", words[i]);
    }
    pvf__hash_blake2b_256((const uint8_t *)text, len, out);
}
