#!/usr/bin/env python3
"""Checks that a mistake is explained: compiles a file, which must fail, and looks at the first error.

usage: expect_error.py FILE COMPILER [OPTION...]
The file's first line says `// expect: TEXT`. The first line of the compiler that is an error must hold "coex:" and TEXT.
"""
import pathlib
import subprocess
import sys


def main():
    source, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    first_line = source.read_text(encoding="utf-8").splitlines()[0]
    if not first_line.startswith("// expect: "):
        sys.exit(f"{source}: its first line is not `// expect: TEXT`")
    expected = first_line.removeprefix("// expect: ")
    run = subprocess.run([*command, "-fsyntax-only", str(source)], capture_output=True, text=True, check=False)
    if run.returncode == 0:
        sys.exit(f"{source}: compiles, but should not")
    errors = [line for line in run.stderr.splitlines() if "error: " in line]
    if not errors or expected not in errors[0] or "coex:" not in errors[0]:
        print(run.stderr)
        sys.exit(f"{source}: the first error is\n{errors[0] if errors else '(none)'}\nand should say\n{expected}")


if __name__ == "__main__":
    main()
