#!/usr/bin/env python3
"""Counts the test cases of a Meson test run: prints "PASSED FAILED".

usage: count_tests.py TESTLOG.json
GoogleTest programs and Python's unittest tell how many cases they ran; any other test counts as one. A program that crashed or
was stopped counts at least one failure.
"""
import json
import re
import sys


def number(pattern, text):
    return sum(int(found) for found in re.findall(pattern, text, re.MULTILINE))


def count(test):
    output = test.get("stdout", "") + "\n" + test.get("stderr", "")
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if re.search(r"^\[==========\] Running", output, re.MULTILINE):
        passed = number(r"^\[  PASSED  \] (\d+) tests?", output)
        failed = number(r"^\[  FAILED  \] (\d+) tests?, listed below", output)
    elif re.search(r"^Ran \d+ tests? in", output, re.MULTILINE):
        failed = number(r"^FAILED \(.*?failures=(\d+)", output) + number(r"^FAILED \(.*?errors=(\d+)", output)
        passed = number(r"^Ran (\d+) tests? in", output) - failed - number(r"skipped=(\d+)", output)
    elif test["result"] == "SKIP":
        return 0, 0
    else:
        return (1, 0) if good else (0, 1)
    return passed, failed if good or failed else 1


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    passed = failed = 0
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        for line in log:
            more = count(json.loads(line))
            passed += more[0]
            failed += more[1]
    print(passed, failed)


main()
