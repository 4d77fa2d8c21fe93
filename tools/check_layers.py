#!/usr/bin/env python3
"""Holds the house to its layers: arrows point down, siblings don't include each other, one idea a file.

usage: check_layers.py [ROOT]     prints `FILE:LINE: problem; cure`, exits 1 when there is any
"""
import pathlib
import re
import sys

# A layer's rank, and with whom it shares a floor without knowing them.
RANKS = {"base": 0, "vocab": 1, "sys": 1, "coro": 2, "pool": 3, "io": 4, "device": 5, "algo": 6, "sync": 6, "interop": 7}
UMBRELLAS = {"exec.hpp", "alias.hpp", "version.hpp"}
MOST_LINES = 400

# Standard headers that cost a user's every file a tenth of a second, for things that public headers need little of.
DEAR = {
    "algorithm": "write the few lines out, or move the function to src/",
    "chrono": "<exec/base/std_chrono.hpp>",
    "condition_variable": "move it to src/",
    "filesystem": "<exec/base/path_argument.hpp>, or move it to src/",
    "functional": "<exec/base/std_function.hpp> for std::function, <exec/base/invoke.hpp> for std::invoke",
    "future": "move it to src/",
    "iomanip": "move it to src/",
    "iostream": "<iosfwd>, and move the rest to src/",
    "istream": "<iosfwd>, and move the rest to src/",
    "iterator": "<exec/base/std_ranges.hpp>",
    "locale": "move it to src/",
    "map": "move it to src/",
    "memory": "<exec/base/owned.hpp>, heap_array.hpp, object.hpp, std_allocator.hpp or counted.hpp there",
    "ostream": "<iosfwd>, and move the rest to src/",
    "random": "move it to src/",
    "ranges": "<exec/base/std_ranges.hpp>",
    "regex": "move it to src/",
    "shared_mutex": "move it to src/",
    "sstream": "move it to src/",
    "thread": "move it to src/",
    "unordered_map": "move it to src/",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(<|")([^>"]+)[>"]')


def layer_of(path):
    """(layer, is_public) of a file of the library, however deep it lies, or None for others."""
    parts = path.parts
    if parts[:2] == ("include", "exec") and len(parts) >= 4:
        return parts[2], True
    if parts[0] == "src" and len(parts) >= 3:
        return parts[1], False
    return None


def tested_layer(path):
    """The layer that a test belongs to, or None."""
    parts = path.parts
    return parts[1] if parts[0] == "tests" and len(parts) >= 3 and parts[1] in RANKS else None


def target_layer(name):
    """(layer, is_public) of what an #include names, or None for headers that are not ours."""
    parts = name.split("/")
    if parts[0] == "exec" and len(parts) >= 3:
        return parts[1], True
    if parts[0] in RANKS and len(parts) >= 2:
        return parts[0], False
    return None


def names_io_uring(name):
    return name == "liburing.h" or name.startswith("liburing/") or name == "linux/io_uring.h"


def may_name_io_uring(path):
    return path.parts[:2] == ("src", "io") and path.name.startswith("ring")


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(2)


def check_file(root, path, report):
    relative = path.relative_to(root)
    own = layer_of(relative)
    lines = path.read_text(encoding="utf-8").count("\n")
    if lines > MOST_LINES:
        report(relative, 1, f"{lines} lines, more than {MOST_LINES}; give each idea a file of its own")
    if own is None:
        check_test(relative, path, report)
        return
    layer, public = own
    if layer not in RANKS:
        report(relative, 1, f"unknown layer '{layer}'; the layers are {', '.join(RANKS)}")
        return
    for number, name in includes(path):
        if names_io_uring(name) and not may_name_io_uring(relative):
            report(relative, number, "includes liburing; only src/io/ring* knows io_uring, use io/backend.hpp")
        if name in DEAR and public and layer != "interop" and not relative.name.startswith("std_"):
            report(relative, number, f"a public header includes <{name}>, which is dear to compile "
                                     f"(docs/decisions/0014-narrow-headers.md); instead: {DEAR[name]}")
        if name.startswith("bits/") and not (layer == "base" and relative.name.startswith("std_")):
            report(relative, number, f"includes <{name}>, which belongs to one standard library; include the standard's, "
                                     "or give it a header std_*.hpp in base, with the standard's beside it")
        if name.startswith("."):
            report(relative, number, f"relative include of '{name}', which hides the layer; write <exec/{layer}/...> or \"{layer}/...\"")
        if name.startswith("exec/") and name.removeprefix("exec/") in UMBRELLAS - {"version.hpp"}:
            report(relative, number, f"includes the umbrella <{name}>; include what is used")
        target = target_layer(name)
        if target is None:
            continue
        other, other_public = target
        if other not in RANKS:
            report(relative, number, f"includes '{name}' of the unknown layer '{other}'")
        elif other != layer and RANKS[other] >= RANKS[layer]:
            way = "upward" if RANKS[other] > RANKS[layer] else "sideways"
            report(relative, number, f"{way} include of '{name}' ({layer} must not know {other}); "
                                     "move what is needed to a lower layer, or turn the call round by an interface")
        if public and not other_public:
            report(relative, number, f"a public header includes the private '{name}'; make it public, or forward-declare")


def check_test(relative, path, report):
    """A test may drive its layer through the public face of higher ones, but not through what they keep private."""
    layer = tested_layer(relative)
    if layer is None:
        return
    for number, name in includes(path):
        target = target_layer(name)
        if target is None or target[1] or target[0] == layer or (path.parents[len(relative.parts) - 2] / name).is_file():
            continue
        if RANKS[target[0]] >= RANKS[layer]:
            report(relative, number, f"a test of {layer} includes '{name}', private to {target[0]}; "
                                     f"test it under tests/{target[0]}/, or use the public header")


def find_cycles(root, files, report):
    graph = {}
    for path in files:
        relative = path.relative_to(root)
        key = "/".join(relative.parts[1:])
        graph[key] = (relative, [name for _, name in includes(path)])
    state = {}

    def visit(key, trail):
        if state.get(key) == "done" or key not in graph:
            return
        if key in trail:
            cycle = trail[trail.index(key):] + [key]
            report(graph[key][0], 1, f"include cycle {' -> '.join(cycle)}; split off what both need")
            return
        for name in graph[key][1]:
            visit(name, trail + [key])
        state[key] = "done"

    for key in graph:
        visit(key, [])


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    problems = []

    def report(path, line, text):
        problems.append(f"{path}:{line}: {text}")

    files = [path for folder in ("include", "src", "tests", "examples", "bench")
             for path in sorted((root / folder).rglob("*")) if path.suffix in (".hpp", ".ipp", ".cpp")]
    for path in files:
        check_file(root, path, report)
    find_cycles(root, [path for path in files if path.suffix == ".hpp" and layer_of(path.relative_to(root))], report)
    print("\n".join(problems) if problems else f"layers: {len(files)} files in order")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
