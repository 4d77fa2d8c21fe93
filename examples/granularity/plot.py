#!/usr/bin/env python3
"""Draws what granularity printed: how much of the ideal each task length reaches, one line for each pool and mode.

usage: plot.py OUT.svg [TITLE=]FILE.csv...     TITLE names the lines of the file; without one they are POOL MODE
"""
import csv
import math
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 24, 52
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#444444")


def read(argument):
    """[(title, [(task length in us, share of the ideal in per cent)])], in the order of the file."""
    title, _, path = argument.rpartition("=")
    lines = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = title or f"{row['pool']} {row['mode']}"
            share = 100 * float(row["ideal_ms"]) / float(row["elapsed_ms"])
            lines.setdefault(name, []).append((1000 * float(row["task_ms"]), share))
    if not lines:
        raise ValueError(f"{path}: no measurements; is it what granularity printed?")
    return list(lines.items())


def length_name(us):
    for unit, factor in (("s", 1e6), ("ms", 1e3), ("us", 1)):
        if us >= factor:
            return f"{us / factor:g} {unit}"
    return f"{us * 1e3:g} ns"


class Picture:
    def __init__(self, lengths):
        self.low, self.high = math.log10(min(lengths)), math.log10(max(lengths))
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                      'font-family="sans-serif" font-size="12">',
                      f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']

    def x(self, us):
        span = max(self.high - self.low, 1e-9)
        return LEFT + (math.log10(us) - self.low) / span * (WIDTH - LEFT - RIGHT)

    @staticmethod
    def y(share):
        return HEIGHT - BOTTOM - min(share, 105) / 105 * (HEIGHT - TOP - BOTTOM)

    def text(self, x, y, words, anchor="middle", colour="#222"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, colour="#ddd", more=""):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>')

    def axes(self):
        for share in range(0, 101, 20):
            self.line(LEFT, self.y(share), WIDTH - RIGHT, self.y(share))
            self.text(LEFT - 8, self.y(share) + 4, f"{share} %", "end")
        self.line(LEFT, self.y(95), WIDTH - RIGHT, self.y(95), "#888", ' stroke-dasharray="5 4"')
        self.text(WIDTH - RIGHT + 8, self.y(95) + 16, "5 % lost", "start", "#666")
        for power in range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1):
            at = self.x(10 ** power)
            self.line(at, TOP, at, HEIGHT - BOTTOM)
            self.text(at, HEIGHT - BOTTOM + 18, length_name(10 ** power))
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "length of a task")
        self.text(LEFT, TOP - 8, "share of the ideal", "start")

    def curve(self, number, title, points):
        colour = COLOURS[number % len(COLOURS)]
        points = sorted(points)
        path = " ".join(f"{self.x(us):.1f},{self.y(share):.1f}" for us, share in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for us, share in points:
            self.parts.append(f'<circle cx="{self.x(us):.1f}" cy="{self.y(share):.1f}" r="3" fill="{colour}">'
                              f'<title>{escape(title)}, {length_name(us)}: {share:.1f} %</title></circle>')
        self.text(WIDTH - RIGHT + 8, HEIGHT - BOTTOM - 20 * (number + 1), title, "start", colour)

    def finish(self):
        return "\n".join(self.parts + ["</svg>", ""])


def main():
    if len(sys.argv) < 3 or not sys.argv[1].endswith(".svg"):
        sys.exit(__doc__.strip())
    try:
        curves = [curve for argument in sys.argv[2:] for curve in read(argument)]
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"plot.py: {error}")
    picture = Picture([us for _, points in curves for us, _ in points])
    picture.axes()
    for number, (title, points) in enumerate(curves):
        picture.curve(number, title, points)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(picture.finish())


if __name__ == "__main__":
    main()
