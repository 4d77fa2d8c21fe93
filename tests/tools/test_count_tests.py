"""tools/count_tests.py counts every case once, and a crash as a failure."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/count_tests.py"
GREEN = "[==========] Running 3 tests from 1 test suite.\n[  PASSED  ] 3 tests.\n"
RED = ("[==========] Running 3 tests from 1 test suite.\n[  PASSED  ] 2 tests.\n"
       "[  FAILED  ] 1 test, listed below:\n[  FAILED  ] a.b\n\n 1 FAILED TEST\n")


def count(*tests):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        for result, stdout, stderr in tests:
            log.write(json.dumps({"result": result, "stdout": stdout, "stderr": stderr}) + "\n")
        log.flush()
        return subprocess.run([sys.executable, TOOL, log.name], capture_output=True, text=True, check=True).stdout.strip()


class CountTests(unittest.TestCase):
    def test_googletest_cases_are_counted(self):
        self.assertEqual(count(("OK", GREEN, ""), ("OK", GREEN, "")), "6 0")

    def test_failed_googletest_cases_are_counted(self):
        self.assertEqual(count(("FAIL", RED, "")), "2 1")

    def test_a_crash_is_one_failure(self):
        self.assertEqual(count(("FAIL", "[==========] Running 3 tests from 1 test suite.\n[ RUN      ] a.b\n", "")), "0 1")

    def test_a_leak_found_after_green_cases_is_one_failure(self):
        self.assertEqual(count(("FAIL", GREEN, "ERROR: LeakSanitizer")), "3 1")

    def test_a_time_out_is_one_failure(self):
        self.assertEqual(count(("TIMEOUT", "", "")), "0 1")

    def test_unittest_cases_are_counted(self):
        self.assertEqual(count(("OK", "", "Ran 4 tests in 0.1s\n\nOK (skipped=1)\n")), "3 0")
        self.assertEqual(count(("FAIL", "", "Ran 4 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n")), "1 3")

    def test_any_other_program_is_one_test(self):
        self.assertEqual(count(("OK", "fine", ""), ("FAIL", "", "no"), ("SKIP", "", "")), "1 1")


if __name__ == "__main__":
    unittest.main()
