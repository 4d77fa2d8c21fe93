#!/usr/bin/env python3
"""Finds what compilers don't: memory orders without a reason, edges of a protocol with one end, words that don't belong.

usage: check_lints.py [ROOT]     prints `FILE:LINE: problem; cure`, exits 1 when there is any
"""
import pathlib
import re
import sys

WEAK_ORDER = re.compile(r"memory_order(?:_|::)(relaxed|acquire|release|acq_rel|consume)")
EDGE = re.compile(r"\[([A-Z]\d+)\]")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
RESERVED = re.compile(r"\b(?:_[A-Z]\w*|\w*__\w*)\b")
# Reserved names that others gave us: compilers, the kernel's headers, the C library.
GIVEN = re.compile(r"^_(?:GLIBCXX_RELEASE|_(\w+__|cpp_exceptions|cpp_lib_\w+|cxa_exception_type|do_catch|builtin_\w+|has_\w+|kernel_\w+|sanitizer_\w+|tsan_\w+|cplusplus|STDCPP_\w+|n4861|[su](?:8|16|32|64)))$")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work)/\w")
SOURCE = (".hpp", ".cpp", ".ipp")
MOST_COVERED = 4
WRITTEN = SOURCE + ("", ".pml", ".md", ".py", ".build", ".yml", ".txt", ".json")
NOT_OURS = ("LICENSE", ".git")  # in a worktree of git, .git is a file that names a path


def code_of(line):
    """The line without its comment and string literals."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
    return line.split("//", 1)[0]


def has_reason(lines, index):
    """True when an ORDER: comment stands in the line, or above the run of statements that it belongs to.

    A run ends at a blank line, at the end or the beginning of a block, and after MOST_COVERED statements: an old reason
    must not vouch for a new operation further down.
    """
    covered = 0
    for above in range(index, -1, -1):
        text = lines[above].strip()
        if "ORDER:" in text:
            return True
        if text.startswith("//") or above == index:
            continue
        covered += 1
        if not text or text.startswith("}") or text.endswith("{") or covered > MOST_COVERED:
            return False
    return False


def check_source(path, relative, report, edges):
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".hpp" and "#pragma once" not in lines[:3]:
        report(relative, 1, "no '#pragma once' in the first lines; add it")
    for index, line in enumerate(lines):
        code = code_of(line)
        if WEAK_ORDER.search(code) and relative.parts[0] in ("include", "src") and not has_reason(lines, index):
            report(relative, index + 1, "a memory order weaker than seq_cst without an 'ORDER:' comment; "
                                        "say what it pairs with and what breaks if it is weaker")
        for label in EDGE.findall(line) if "//" in line or line.lstrip().startswith(("*", "//")) else []:
            edges.setdefault(label, []).append((relative, index + 1))
        for word in RESERVED.findall(code):
            if not GIVEN.match(word):
                report(relative, index + 1, f"'{word}' is a name reserved for the implementation; rename it")


def check_words(path, relative, report):
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if UNFINISHED.search(line):
            report(relative, number, "marks something unfinished; finish it or file it")
        if MACHINE_PATH.search(line):
            report(relative, number, "names a path of one machine; make it relative or an option")


def written_files(root):
    """What people wrote: sources, texts, scripts, build files; not what lies in build directories or was unpacked."""
    places = sorted(path for path in root.glob("*") if path.name not in NOT_OURS)
    for folder in ("include", "src", "tests", "examples", "bench", "docs", "tools", ".ci", ".github"):
        places += sorted((root / folder).rglob("*"))
    return [path for path in places if path.is_file() and path.suffix in WRITTEN]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    problems = []
    edges = {}

    def report(path, line, text):
        problems.append(f"{path}:{line}: {text}")

    for path in written_files(root):
        relative = path.relative_to(root)
        if relative.parts[:2] != ("tests", "tools") and relative != pathlib.Path("tools/check_lints.py"):
            check_words(path, relative, report)
        if path.suffix in SOURCE:
            check_source(path, relative, report, edges)
    for label, places in sorted(edges.items()):
        if len(places) == 1:
            report(places[0][0], places[0][1], f"the edge [{label}] is named once; name it at its other end too")
    print("\n".join(problems) if problems else "lints: nothing found")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
