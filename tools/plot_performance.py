#!/usr/bin/env python3
"""plot_performance.py: draws docs/performance.svg from docs/performance.csv.

A row of the table is a ratio of times, ours / another's: a dot for the median, a line from the least to the greatest, and an
open triangle where the bar was set that it should stay left of.
"""

import csv
import math
import pathlib
import sys
from xml.sax.saxutils import escape

ROW, HEADING = 21, 30
LEFT, RIGHT, FIGURES = 430, 330, 120
LEAST, GREATEST = 0.02, 4.0
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4)
BLUE, RED, GREY, LIGHT = "#1f5fa8", "#b3361f", "#555555", "#dddddd"


def place(ratio):
    """The horizontal place of a ratio, on a logarithmic axis."""
    inside = min(max(ratio, LEAST), GREATEST)
    return LEFT + RIGHT * math.log(inside / LEAST) / math.log(GREATEST / LEAST)


def text(x, y, words, anchor="start", colour="#222222", weight="normal"):
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">{escape(words)}</text>'


def line(x1, y1, x2, y2, colour, width=1.0):
    return f'<line x1="{x1:.1f}" y1="{y1}" x2="{x2:.1f}" y2="{y2}" stroke="{colour}" stroke-width="{width}"/>'


def draw_row(row, y):
    ratio, low, high = (float(row[key]) for key in ("median", "min", "max"))
    bar = float(row["bar"]) if row["bar"] else None
    colour = RED if bar is not None and ratio > bar else BLUE
    parts = [text(LEFT - 10, y + 4, f'{row["what"]} / {row["other"]}', "end")]
    parts.append(line(place(low), y, place(high), y, colour, 2))
    if bar is not None:
        x = place(bar)
        parts.append(f'<path d="M{x:.1f} {y - 6} l-4 -6 h8 z" fill="none" stroke="{GREY}"/>')
    parts.append(f'<circle cx="{place(ratio):.1f}" cy="{y}" r="4" fill="{colour}"/>')
    parts.append(text(LEFT + RIGHT + 12, y + 4, f"{ratio:.2f}  ({low:.2f}..{high:.2f})", colour=colour))
    return parts


def draw(rows):
    body, y, group = [], 46, None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            y += HEADING - ROW
            body.append(text(10, y + 4, group, weight="bold"))
            y += ROW
        body += draw_row(row, y)
        y += ROW
    bottom = y - ROW + 12
    grid = [line(place(tick), 40, place(tick), bottom, GREY if tick == 1 else LIGHT) for tick in TICKS]
    labels = [text(place(tick), bottom + 16, f"{tick:g}", "middle", GREY) for tick in TICKS]
    title = [
        text(10, 20, "Time of coex / time of the other: left of 1 is faster", weight="bold"),
        text(LEFT + RIGHT + 12, 20, "median (min..max)", colour=GREY),
        text(10, bottom + 16, "dot: median; line: min..max; triangle: the bar that was set", colour=GREY),
    ]
    width, height = LEFT + RIGHT + FIGURES + 20, bottom + 28
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *grid, *title, *labels, *body, "</svg>", ""])


def main():
    docs = pathlib.Path(__file__).resolve().parent.parent / "docs"
    with open(docs / "performance.csv", newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    (docs / "performance.svg").write_text(draw(rows), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
