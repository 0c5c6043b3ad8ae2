/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CORE_CORE_LIST_H
#define PVF_CORE_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A ring of links that live inside what is listed, so that nothing is allocated.  The head is a
 * link of its own; a link that is in no list points to itself.
 */
struct pvf__core_link {
    struct pvf__core_link *prev;
    struct pvf__core_link *next;
};

/* The object that a member belongs to. */
#define PVF__CORE_OWNER(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void pvf__core_list_init(struct pvf__core_link *link)
{
    link->prev = link;
    link->next = link;
}

static inline bool pvf__core_list_empty(const struct pvf__core_link *head)
{
    return head->next == head;
}

static inline bool pvf__core_list_linked(const struct pvf__core_link *link)
{
    return link->next != link;
}

/* Puts `link` before `place`; with the head as place, at the end. */
static inline void pvf__core_list_before(struct pvf__core_link *place, struct pvf__core_link *link)
{
    link->prev = place->prev;
    link->next = place;
    place->prev->next = link;
    place->prev = link;
}

static inline void pvf__core_list_append(struct pvf__core_link *head, struct pvf__core_link *link)
{
    pvf__core_list_before(head, link);
}

static inline void pvf__core_list_prepend(struct pvf__core_link *head, struct pvf__core_link *link)
{
    pvf__core_list_before(head->next, link);
}

/* Takes a link out of its list, if it is in one. */
static inline void pvf__core_list_remove(struct pvf__core_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    pvf__core_list_init(link);
}

#endif
