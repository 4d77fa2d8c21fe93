#!/usr/bin/env python3
"""Compiles the C++ that the documents show, so that no reader meets an example which does not compile.

usage: check_docs.py [--compiler COMMAND]... [DOCUMENT...]     default: g++, README.md and docs/*.md; exits 1 on any error

Every block that is fenced as `cpp` is compiled with <exec/exec.hpp> included. A comment above the block may wrap it, at the
line that holds only @, or say why it is left out:

    <!-- code:                                      <!-- code: left out, needs stdexec -->
    coex::task<> example(coex::file& file) {
        @
    }
    -->
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?:^<!-- code:(?P<wrap>(?:(?!-->).)*?)-->\n+)?^```cpp\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDE = re.compile(r"^#include .*$\n?", re.MULTILINE)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def source_of(path, text):
    """One source file of all blocks of a document, each in a namespace of its own; and how many there are."""
    includes, bodies = ["#include <exec/exec.hpp>\n"], []
    for match in BLOCK.finditer(text):
        wrap = match["wrap"] or "\n@\n"
        if wrap.strip().startswith("left out"):
            continue
        before, *after = re.split(r"^\s*@$", wrap, maxsplit=1, flags=re.MULTILINE)
        if not after:
            sys.exit(f"{path}:{line_of(text, match.start())}: the comment above this block has no line with only @; "
                     "add one where the block belongs")
        includes += [line.strip() + "\n" for line in INCLUDE.findall(before) + INCLUDE.findall(match["code"])]
        # A blank line stands for each #include that moved up, so that errors name the document's line.
        code = INCLUDE.sub("\n", match["code"])
        first = line_of(text, match.start("code"))
        wrapped = INCLUDE.sub("\n", before), f'\n#line {first} "{path}"\n', code, after[0]
        bodies.append(f"namespace block_{len(bodies) + 1} {{\n{''.join(wrapped)}}}\n")
    return "".join(dict.fromkeys(includes)) + "".join(bodies), len(bodies)


def refusal(compiler, source):
    """What the compiler says against the source; empty when it takes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".cpp", encoding="utf-8") as file:
        file.write(source)
        file.flush()
        command = [*compiler.split(), "-std=c++20", f"-I{TOP / 'include'}", "-fsyntax-only", file.name]
        run = subprocess.run(command, check=False, capture_output=True, text=True)
        return "" if run.returncode == 0 else run.stdout + run.stderr or f"{compiler}: exit status {run.returncode}\n"


def start(path, compilers, pool):
    """Has all compilers begin with a document: (path, number of its blocks, what each will say)"""
    name = path.relative_to(TOP) if path.is_relative_to(TOP) else path
    source, count = source_of(name, path.read_text(encoding="utf-8"))
    return path, count, [pool.submit(refusal, compiler, source) for compiler in compilers] if count else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", action="append")
    parser.add_argument("documents", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    documents = [path.resolve() for path in arguments.documents] or [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
    compilers = arguments.compiler or ["g++"]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, count, answers in [start(path, compilers, pool) for path in documents]:
            refusals = [answer.result() for answer in answers if answer.result()]
            print("".join(refusals), end="", file=sys.stderr)
            if count:
                told = f", refused by {len(refusals)} of {len(compilers)} compilers" if refusals else ""
                print(f"{path.name}: {count} blocks{told}")
            failed = failed or bool(refusals)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
