/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's heap: the recorded trace, each refusal, forged headers, the limits of growth. */
#include "support/test.h"

#include "guest/allocator.h"
#include "support/small_guest.h"

#include <string.h>

struct heap {
    struct small_guest guest;
    struct pvf__allocator allocator;
};

static void heap_init(struct heap *heap, uint32_t heap_base, uint64_t pages, uint64_t max_pages)
{
    small_guest_init(&heap->guest, pages, max_pages);
    pvf__allocator_init(&heap->allocator, heap_base);
}

static uint32_t take(struct heap *heap, uint32_t size)
{
    uint32_t ptr = 0;
    assert_int_equal(pvf__allocator_allocate(&heap->allocator, &heap->guest.memory, size, &ptr), 0);
    return ptr;
}

static enum pvf__allocator_fault try_take(struct heap *heap, uint32_t size)
{
    uint32_t ptr = 0x5A5A5A5A;
    enum pvf__allocator_fault fault =
        pvf__allocator_allocate(&heap->allocator, &heap->guest.memory, size, &ptr);
    if (fault != PVF__ALLOCATOR_OK) {
        assert_int_equal(ptr, 0x5A5A5A5A);
    }
    return fault;
}

static enum pvf__allocator_fault give(struct heap *heap, uint32_t ptr)
{
    return pvf__allocator_free(&heap->allocator, &heap->guest.memory, ptr);
}

static void set_header(struct heap *heap, uint32_t ptr, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        heap->guest.memory.base[ptr - 8 + i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t get_header(const struct heap *heap, uint32_t ptr)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)heap->guest.memory.base[ptr - 8 + i] << (8 * i);
    }
    return value;
}

static void a_range_ends_at_the_memory(void **state)
{
    (void)state;
    struct small_guest guest;
    small_guest_init(&guest, 1, 1);
    const struct {
        uint32_t ptr;
        uint32_t len;
        bool good;
    } rows[] = {
        {0, 0, true},
        {0, 65536, true},
        {0, 65537, false},
        {65536, 0, true},
        {65535, 1, true},
        {65535, 2, false},
        {65536, 1, false},
        {65537, 0, false},
        {0xFFFFFFFF, 1, false},
        {0xFFFFFFF0, 0x20, false},
        {0xFFFFFFFF, 0xFFFFFFFF, false},
        {1, 0xFFFFFFFF, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *data = NULL;
        assert_int_equal(pvf__guest_range(&guest.memory, rows[i].ptr, rows[i].len, &data),
                         rows[i].good);
        assert_ptr_equal(data, rows[i].good ? guest.memory.base + rows[i].ptr : NULL);
    }
    small_guest_done(&guest);
}

static void the_recorded_trace_comes_out(void **state)
{
    (void)state;
    struct heap heap;
    heap_init(&heap, 1048576, 17, 2080);
    assert_int_equal(take(&heap, 45), 0x100008);
    uint32_t first = take(&heap, 5);
    uint32_t second = take(&heap, 9);
    assert_int_equal(first, 0x100050);
    assert_int_equal(second, 0x100060);
    assert_int_equal(take(&heap, 5), 0x100078);
    assert_int_equal(give(&heap, first), 0);
    assert_int_equal(take(&heap, 8), 0x100050);
    assert_int_equal(take(&heap, 70000), 0x100088);
    assert_int_equal(give(&heap, second), 0);
    assert_int_equal(take(&heap, 16), 0x100060);
    assert_int_equal(take(&heap, 1), 0x120090);
    small_guest_done(&heap.guest);
}

static void heap_base_is_rounded_up(void **state)
{
    (void)state;
    const uint32_t rows[][2] = {
        {0, 8}, {1, 16}, {8, 16}, {9, 24}, {0xFFFFFFF9, 8}, {0xFFFFFFFF, 8}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heap heap;
        heap_init(&heap, rows[i][0], 1, 1);
        assert_int_equal(take(&heap, 8), rows[i][1]);
        small_guest_done(&heap.guest);
    }
    struct heap heap;
    heap_init(&heap, 0xFFFFFFF8, 1, 1);
    assert_int_equal(try_take(&heap, 8), PVF__ALLOCATOR_OUT_OF_SPACE);
    small_guest_done(&heap.guest);
}

static void orders_are_powers_of_two(void **state)
{
    (void)state;
    const struct {
        uint32_t size;
        uint32_t order;
    } rows[] = {{0, 0}, {1, 0}, {8, 0}, {9, 1}, {16, 1}, {17, 2}, {4096, 9}, {4097, 10}};
    struct heap heap;
    heap_init(&heap, 0, 1, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t ptr = take(&heap, rows[i].size);
        assert_true(get_header(&heap, ptr) == (rows[i].order | (uint64_t)1 << 32));
    }
    assert_int_equal(try_take(&heap, 33554433), PVF__ALLOCATOR_TOO_LARGE);
    small_guest_done(&heap.guest);
}

static void a_fault_poisons(void **state)
{
    (void)state;
    struct heap heap;
    heap_init(&heap, 0, 1, 1);
    uint32_t ptr = take(&heap, 8);
    assert_int_equal(try_take(&heap, UINT32_MAX), PVF__ALLOCATOR_TOO_LARGE);
    assert_int_equal(try_take(&heap, 8), PVF__ALLOCATOR_POISONED);
    assert_int_equal(give(&heap, ptr), PVF__ALLOCATOR_POISONED);
    assert_string_equal(pvf__allocator_text(PVF__ALLOCATOR_POISONED),
                        "Other: the allocator has been poisoned");
    small_guest_done(&heap.guest);
}

static void a_smaller_memory_is_noticed(void **state)
{
    (void)state;
    struct heap heap;
    heap_init(&heap, 0, 2, 2);
    (void)take(&heap, 8);
    heap.guest.memory.size -= 1;
    assert_int_equal(try_take(&heap, 8), PVF__ALLOCATOR_SHRUNK);
    small_guest_done(&heap.guest);
}

static void bad_pointers_are_not_freed(void **state)
{
    (void)state;
    const struct {
        uint32_t ptr;
        enum pvf__allocator_fault fault;
    } rows[] = {
        {0, PVF__ALLOCATOR_BAD_POINTER},
        {7, PVF__ALLOCATOR_BAD_POINTER},
        {8, PVF__ALLOCATOR_NOT_ALLOCATED},
        {65536, PVF__ALLOCATOR_NOT_ALLOCATED},
        {65537, PVF__ALLOCATOR_READ_OUTSIDE},
        {0xFFFFFFF8, PVF__ALLOCATOR_READ_OUTSIDE},
        {0xFFFFFFFF, PVF__ALLOCATOR_READ_OUTSIDE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heap heap;
        heap_init(&heap, 1024, 1, 1);
        assert_int_equal(give(&heap, rows[i].ptr), rows[i].fault);
        assert_true(heap.allocator.poisoned);
        small_guest_done(&heap.guest);
    }
}

static void headers_in_use_may_be_forged(void **state)
{
    (void)state;
    const struct {
        uint64_t header;
        enum pvf__allocator_fault fault;
    } rows[] = {
        {(uint64_t)1 << 32 | 3, PVF__ALLOCATOR_OK},
        {0xDF7D5BBD00000003, PVF__ALLOCATOR_OK},
        {0xDF7D5BBC00000003, PVF__ALLOCATOR_NOT_ALLOCATED},
        {(uint64_t)1 << 32 | 23, PVF__ALLOCATOR_BAD_ORDER},
        {(uint64_t)1 << 32 | 0xFFFFFFFF, PVF__ALLOCATOR_BAD_ORDER},
        {(uint64_t)1 << 32 | 22, PVF__ALLOCATOR_UNDERFLOW},
        {(uint64_t)1 << 32 | 4, PVF__ALLOCATOR_UNDERFLOW},
        /* A smaller order than the true one leaves bytes that count as allocated for ever. */
        {(uint64_t)1 << 32 | 0, PVF__ALLOCATOR_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heap heap;
        heap_init(&heap, 0, 1, 1);
        uint32_t ptr = take(&heap, 64);
        set_header(&heap, ptr, rows[i].header);
        assert_int_equal(give(&heap, ptr), rows[i].fault);
        if (rows[i].fault == PVF__ALLOCATOR_OK) {
            /* The list was empty: the link is NIL, and nothing is left of the other bits. */
            assert_true(get_header(&heap, ptr) == 0xFFFFFFFF);
        }
        small_guest_done(&heap.guest);
    }
}

static void links_may_be_forged(void **state)
{
    (void)state;
    const struct {
        uint64_t link; /* written to the free header, with all its bits */
        enum pvf__allocator_fault second;
        uint32_t ptr; /* of the second allocation, when it works */
    } rows[] = {
        {0xFFFFFFFF, PVF__ALLOCATOR_OK, 80},      /* NIL: a fresh one from the bump pointer */
        {0xFFFFFFFE, PVF__ALLOCATOR_BAD_LIST, 0}, /* outside */
        {65536, PVF__ALLOCATOR_BAD_LIST, 0},      /* at the end */
        {65536 - 72, PVF__ALLOCATOR_OK, 65472},   /* the last place that holds 64 bytes */
        {65536 - 71, PVF__ALLOCATOR_BAD_LIST, 0}, /* one byte too far */
        {1003, PVF__ALLOCATOR_OK, 1011},          /* headers need no alignment */
        {(uint64_t)0xFFFFFFFE << 32 | 1003, PVF__ALLOCATOR_OK, 1011}, /* other bits are ignored */
        {0, PVF__ALLOCATOR_OK, 8}, /* the link itself, seen as a free header */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heap heap;
        heap_init(&heap, 0, 1, 1);
        uint32_t ptr = take(&heap, 64);
        assert_int_equal(give(&heap, ptr), 0);
        set_header(&heap, ptr, rows[i].link);
        assert_int_equal(take(&heap, 64), ptr);
        if (rows[i].link == 0) {
            /* The first header is in use again; free it behind the heap's back. */
            set_header(&heap, ptr, 0xFFFFFFFF);
        }
        uint32_t second = 0;
        assert_int_equal(pvf__allocator_allocate(&heap.allocator, &heap.guest.memory, 64, &second),
                         rows[i].second);
        assert_int_equal(second, rows[i].ptr);
        small_guest_done(&heap.guest);
    }
}

static void a_listed_header_may_not_be_in_use(void **state)
{
    (void)state;
    struct heap heap;
    heap_init(&heap, 0, 1, 1);
    uint32_t ptr = take(&heap, 64);
    assert_int_equal(give(&heap, ptr), 0);
    set_header(&heap, ptr, (uint64_t)1 << 32 | 3);
    assert_int_equal(try_take(&heap, 64), PVF__ALLOCATOR_LISTED_OCCUPIED);
    small_guest_done(&heap.guest);

    heap_init(&heap, 0, 1, 1);
    ptr = take(&heap, 64);
    assert_int_equal(give(&heap, ptr), 0);
    set_header(&heap, ptr, (uint64_t)1 << 32 | 23);
    assert_int_equal(try_take(&heap, 64), PVF__ALLOCATOR_BAD_ORDER);
    small_guest_done(&heap.guest);
}

/* Notes what is asked for, and refuses or pretends. */
struct grower {
    struct pvf__guest_memory memory;
    uint64_t asked;
    bool refuse;
};

static bool note_growth(void *context, uint64_t delta_pages)
{
    struct grower *grower = context;
    grower->asked = delta_pages;
    if (grower->refuse) {
        return false;
    }
    grower->memory.size += delta_pages * PVF__GUEST_PAGE;
    return true;
}

static void growth_doubles_up_to_the_limit(void **state)
{
    (void)state;
    const struct {
        uint64_t pages;
        uint64_t max_pages;
        uint32_t heap_base;
        uint32_t size;
        uint64_t asked; /* 0: refused without asking */
        bool refuse;
    } rows[] = {
        {17, 2080, 17 * 65536 - 16, 9, 17, false},
        {17, 2080, 17 * 65536 - 24, 16, 0, false}, /* fits exactly, nothing is asked */
        {2000, 2080, 2000U * 65536U - 8, 8, 80, false},
        {2080, 2080, 2080U * 65536U - 8, 8, 0, true},
        {1, 3, 0, 200000, 0, true},
        {1, 5, 0, 200000, 4, false},
        {1, 100, 0, 33554432, 0, true},
        {1, 600, 0, 33554432, 512, false},
        {0, 10, 0, 8, 1, false},
        /* Above 65 536 pages the limit cannot be reached, and so the doubling fails. */
        {32769, 65568, 32769U * 65536U - 8, 8, 32769, true},
        {40000, 65568, 40000U * 65536U - 8, 8, 25568, true},
        {20, 10, 0, 8, 0, false},
    };
    static uint8_t low[65536 * 18];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* Only headers near the heap base are touched: behind the end the memory is made up. */
        bool real = rows[i].heap_base < sizeof(low) - 64;
        struct grower grower = {.refuse = rows[i].refuse || !real};
        grower.memory = (struct pvf__guest_memory){.base = low,
                                                   .size = rows[i].pages * PVF__GUEST_PAGE,
                                                   .max_pages = rows[i].max_pages,
                                                   .grow = note_growth,
                                                   .context = &grower};
        struct pvf__allocator allocator;
        pvf__allocator_init(&allocator, rows[i].heap_base);
        uint32_t ptr;
        enum pvf__allocator_fault fault =
            pvf__allocator_allocate(&allocator, &grower.memory, rows[i].size, &ptr);
        assert_int_equal(grower.asked, rows[i].asked);
        assert_int_equal(fault, grower.refuse ? PVF__ALLOCATOR_OUT_OF_SPACE : PVF__ALLOCATOR_OK);
    }
}

static void every_fault_has_a_text(void **state)
{
    (void)state;
    for (int i = 0; i <= PVF__ALLOCATOR_WRITE_OUTSIDE; i++) {
        assert_string_not_equal(pvf__allocator_text((enum pvf__allocator_fault)i), "unknown fault");
    }
    assert_string_equal(pvf__allocator_text((enum pvf__allocator_fault)99), "unknown fault");
}

/* A memory that its guest has grown to `now` bytes, of which the host knows fewer. */
struct grown {
    struct pvf__guest_memory memory;
    uint64_t now;
    unsigned looks;
};

static void look_again(void *context)
{
    struct grown *grown = context;
    grown->memory.size = grown->now;
    grown->looks++;
}

static void what_the_guest_has_grown_is_seen_when_it_is_needed(void **state)
{
    (void)state;
    static uint8_t bytes[3 * PVF__GUEST_PAGE];
    struct grown grown = {.now = sizeof(bytes)};
    grown.memory = (struct pvf__guest_memory){
        .base = bytes, .size = PVF__GUEST_PAGE, .max_pages = 3, .look = look_again};
    grown.memory.context = &grown;
    struct pvf__allocator allocator;
    pvf__allocator_init(&allocator, 0);
    uint8_t *at;
    uint32_t ptr;
    assert_true(pvf__guest_range(&grown.memory, 0, PVF__GUEST_PAGE, &at));
    assert_int_equal(pvf__allocator_allocate(&allocator, &grown.memory, 32768, &ptr), 0);
    assert_int_equal(grown.looks, 0);
    /* Without a growth: there is none here. */
    assert_int_equal(pvf__allocator_allocate(&allocator, &grown.memory, 65536, &ptr), 0);
    assert_int_equal(grown.looks, 1);
    assert_int_equal(pvf__allocator_free(&allocator, &grown.memory, ptr), 0);
    assert_true(pvf__guest_range(&grown.memory, sizeof(bytes), 0, &at));
    assert_int_equal(grown.looks, 1);
    assert_false(pvf__guest_range(&grown.memory, sizeof(bytes), 1, &at));
    assert_int_equal(grown.looks, 2);
    /* A list that leads to where the guest has grown its memory meanwhile. */
    grown.memory.size = PVF__GUEST_PAGE;
    allocator.last_seen_size = PVF__GUEST_PAGE;
    assert_int_equal(pvf__allocator_allocate(&allocator, &grown.memory, 65536, &ptr), 0);
    assert_int_equal(grown.looks, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_ends_at_the_memory),
        cmocka_unit_test(the_recorded_trace_comes_out),
        cmocka_unit_test(heap_base_is_rounded_up),
        cmocka_unit_test(orders_are_powers_of_two),
        cmocka_unit_test(a_fault_poisons),
        cmocka_unit_test(a_smaller_memory_is_noticed),
        cmocka_unit_test(bad_pointers_are_not_freed),
        cmocka_unit_test(headers_in_use_may_be_forged),
        cmocka_unit_test(links_may_be_forged),
        cmocka_unit_test(a_listed_header_may_not_be_in_use),
        cmocka_unit_test(growth_doubles_up_to_the_limit),
        cmocka_unit_test(what_the_guest_has_grown_is_seen_when_it_is_needed),
        cmocka_unit_test(every_fault_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
