# SPDX-License-Identifier: Apache-2.0
"""Owns: what is said about many times, and in which order they are taken: by turns, and each time
another first, so that whatever else the machine does hits all."""


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median(values):
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def spread(values):
    """Seconds in, milliseconds out."""
    return {"p50": median(values) * 1e3, "p99": quantile(values, 0.99) * 1e3,
            "min": min(values) * 1e3, "count": len(values)}


def turns(count, items):
    """`count` times all of the items, the first another each time."""
    for run in range(count):
        for at in range(len(items)):
            yield run, items[(run + at) % len(items)]


def ratio(theirs, ours):
    return theirs / ours if theirs and ours else None


def geometric(values):
    product = 1.0
    for value in values:
        product *= value
    return product ** (1 / len(values)) if values else None
