#!/usr/bin/env python3
"""Draws a trace that coex::trace_recorder has written, as SVG: a row a thread, slices, and arrows from cause to effect.

usage: draw_trace.py TRACE.json OUT.svg [--from MICROSECONDS] [--to MICROSECONDS]     default: all of it

For documents; to look around in a trace, open it in ui.perfetto.dev or chrome://tracing.
"""
import argparse
import collections
import html
import json

WIDTH, LEFT, RIGHT, TOP = 1160, 120, 16, 34
SLICE, GAP = 20, 16
COLOURS = {"task": "#5b8dd9", "forked": "#6fb38c", "asleep": "#e4e4e4", "low": "#c9b458", "high": "#d9705b", "span": "#24477f"}
ARROWS = {"post": "#7a7a7a", "steal": "#2f8f57", "wake": "#c0504d"}


def rows_of(events):
    """{(pid, tid): name} in the order of the picture."""
    processes, threads = {}, {}
    for each in events:
        if each["ph"] == "M" and each["name"] == "process_name":
            processes[each["pid"]] = each["args"]["name"]
        if each["ph"] == "M" and each["name"] == "thread_name":
            threads[each["pid"], each["tid"]] = each["args"]["name"]
    outside = {key: "outside" for key in threads if key[0] == 1}
    return {key: outside.get(key, name) for key, name in sorted(threads.items())}, processes


def with_depth(slices):
    """(slice, how deep it is nested): a sweep over begins and ends."""
    ends = []
    for each in sorted(slices, key=lambda one: (one["ts"], -one["dur"])):
        while ends and ends[-1] <= each["ts"] + 1e-6:
            ends.pop()
        yield each, len(ends)
        ends.append(each["ts"] + each["dur"])


def colour_of(each):
    if each["cat"] == "task" and "priority" in each["args"]:
        return COLOURS[each["args"]["priority"]]
    return COLOURS.get(each["name"], COLOURS["span"])


def nice_step(span):
    step = 1.0
    while span / step > 12:
        for factor in (2, 2.5, 2):
            step *= factor
            if span / step <= 12:
                break
    return step


def draw(trace, begin, end):
    events = trace["traceEvents"]
    rows, _ = rows_of(events)
    slices = collections.defaultdict(list)
    for each in events:
        if each["ph"] == "X" and each["cat"] not in ("post", "wake"):
            slices[each["pid"], each["tid"]].append(each)
    last = max((each["ts"] + each["dur"] for group in slices.values() for each in group), default=1.0)
    end = last if end is None else end
    scale = (WIDTH - LEFT - RIGHT) / (end - begin)

    def x(time):
        return LEFT + (min(max(time, begin), end) - begin) * scale

    def is_shown(each):
        return each["ts"] < end and each["ts"] + each.get("dur", 0) > begin

    out, y, middle = [], TOP, {}
    for key, name in rows.items():
        shown = [(each, depth) for each, depth in with_depth(slices[key]) if is_shown(each)]
        height = SLICE * (1 + max((depth for _, depth in shown), default=0))
        middle[key] = y + SLICE / 2
        out.append(f'<text x="8" y="{y + 14}" font-weight="bold">{html.escape(name)}</text>')
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y + height + 3}" y2="{y + height + 3}" stroke="#ddd"/>')
        for each, depth in shown:
            left, right = x(each["ts"]), x(each["ts"] + each["dur"])
            top = y + depth * SLICE
            label = each["name"] if right - left > 7 * len(each["name"]) + 6 else ""
            dark = each["name"] == "asleep" or each["args"].get("priority") == "low"
            out.append(f'<rect x="{left:.1f}" y="{top}" width="{max(right - left, 0.8):.1f}" height="{SLICE - 1}" '
                       f'fill="{colour_of(each)}"><title>{html.escape(each["name"])}, {each["dur"]:.1f} us</title></rect>')
            if label:
                out.append(f'<text x="{left + 4:.1f}" y="{top + 14}" fill="{"#555" if dark else "#fff"}">'
                           f"{html.escape(label)}</text>")
        y += height + GAP
    begins = {each["id"]: each for each in events if each["ph"] == "s"}
    for each in events:
        if each["ph"] != "f" or not begin <= begins[each["id"]]["ts"] <= end or not begin <= each["ts"] <= end:
            continue
        source = begins[each["id"]]
        first, second = (source["pid"], source["tid"]), (each["pid"], each["tid"])
        if first == second:
            continue
        out.append(f'<line x1="{x(source["ts"]):.1f}" y1="{middle[first]}" x2="{x(each["ts"]):.1f}" y2="{middle[second]}" '
                   f'stroke="{ARROWS[each["name"]]}" stroke-width="1" stroke-opacity="0.7" marker-end="url(#{each["name"]})"/>')
    step, time = nice_step(end - begin), 0.0
    while time <= end - begin:
        at = x(begin + time)
        out.insert(0, f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 8}" y2="{y}" stroke="#eee"/>'
                      f'<text x="{at:.1f}" y="{TOP - 14}" text-anchor="middle" fill="#555">{time:g} us</text>')
        time += step
    legend = LEFT
    for name, colour in {**COLOURS, **{f"{name} →": shade for name, shade in ARROWS.items()}}.items():
        out.append(f'<rect x="{legend}" y="{y + 2}" width="12" height="12" fill="{colour}"/>'
                   f'<text x="{legend + 17}" y="{y + 12}" fill="#333">{name}</text>')
        legend += 34 + 8 * len(name)
    heads = "".join(f'<marker id="{name}" markerWidth="7" markerHeight="6" refX="6" refY="3" orient="auto">'
                    f'<path d="M0,0 L7,3 L0,6 z" fill="{shade}"/></marker>' for name, shade in ARROWS.items())
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 24}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="#fff"/><defs>{heads}</defs>\n' + "\n".join(out) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("   ")[0])
    parser.add_argument("trace")
    parser.add_argument("out")
    parser.add_argument("--from", dest="begin", type=float, default=0.0)
    parser.add_argument("--to", dest="end", type=float)
    options = parser.parse_args()
    with open(options.trace, encoding="utf-8") as file:
        trace = json.load(file)
    with open(options.out, "w", encoding="utf-8") as file:
        file.write(draw(trace, options.begin, options.end))


if __name__ == "__main__":
    main()
