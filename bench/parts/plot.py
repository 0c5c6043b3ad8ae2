# SPDX-License-Identifier: Apache-2.0
"""Owns: plots as SVG: bars on a scale of powers of ten, and lines."""
import math
from xml.sax.saxutils import escape

COLOURS = ("#1f6f8b", "#c75d2c", "#8f8f8f", "#4f8f3a")
WIDTH, LABELS, RIGHT, BAR, GAP, TOP = 900, 290, 80, 11, 10, 64


def _text(x, y, text, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{escape(text)}</text>'


def _document(height, title, names, parts):
    legend, x = [], LABELS
    for name, colour in zip(names, COLOURS):
        legend.append(f'<rect x="{x}" y="32" width="11" height="11" fill="{colour}"/>')
        legend.append(_text(x + 16, 42, name))
        x += 30 + 7 * len(name)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(12, 20, title, 'font-size="14"'), *legend, *parts, "</svg>", ""])


def bars(title, names, rows, unit):
    """`rows`: (label, one value for each name; None leaves it out)."""
    values = [value for _, each in rows for value in each if value]
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    bottom = TOP + len(rows) * (len(names) * BAR + GAP)

    def place(value):
        return LABELS + (math.log10(value) - low) / (high - low) * (WIDTH - LABELS - RIGHT)

    parts = []
    for power in range(low, high + 1):
        x = place(10.0 ** power)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" '
                     'stroke="#dddddd"/>')
        parts.append(_text(x, bottom + 16, f"{10.0 ** power:g} {unit}", 'text-anchor="middle"'))
    for at, (label, each) in enumerate(rows):
        y = TOP + at * (len(names) * BAR + GAP)
        parts.append(_text(LABELS - 8, y + len(names) * BAR / 2 + 4, label, 'text-anchor="end"'))
        for index, value in enumerate(each):
            if value:
                width = max(place(value) - LABELS, 1.0)
                parts.append(f'<rect x="{LABELS}" y="{y + index * BAR}" width="{width:.1f}" '
                             f'height="{BAR - 1}" fill="{COLOURS[index]}"/>')
                parts.append(_text(LABELS + width + 4, y + index * BAR + 9, f"{value:.3g}",
                                   'font-size="9"'))
    return _document(bottom + 30, title, names, parts)


def lines(title, names, series, unit):
    """`series`: one list of values for each name, all over the same span."""
    top = max(value for each in series for value in each) * 1.05 or 1.0
    left, right, low, high = 70, WIDTH - 20, TOP, 340
    parts = [f'<line x1="{left}" y1="{high}" x2="{right}" y2="{high}" stroke="#888888"/>']
    for step in range(5):
        y = high - (high - low) * step / 4
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" '
                     'stroke="#dddddd"/>')
        parts.append(_text(left - 6, y + 4, f"{top * step / 4:.3g} {unit}", 'text-anchor="end"'))
    for each, colour in zip(series, COLOURS):
        points = " ".join(
            f"{left + (right - left) * at / max(len(each) - 1, 1):.1f},"
            f"{high - (high - low) * value / top:.1f}" for at, value in enumerate(each))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                     'stroke-width="2"/>')
    return _document(370, title, names, parts)
