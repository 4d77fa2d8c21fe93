"""Builds small trees with a fault in them, and runs a checker of tools/ over them."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


class CheckerTest(unittest.TestCase):
    checker = ""

    def check(self, files):
        """(exit status, output) of the checker over a tree that holds `files`: path to text."""
        with tempfile.TemporaryDirectory(prefix="coex-checker-") as place:
            for name, text in files.items():
                path = pathlib.Path(place) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            run = subprocess.run([sys.executable, TOOLS / self.checker, place], capture_output=True, text=True, check=False)
            return run.returncode, run.stdout + run.stderr

    def assert_clean(self, files):
        status, output = self.check(files)
        self.assertEqual(status, 0, output)

    def assert_reports(self, files, where, what):
        """The checker fails and one line names the place and the problem."""
        status, output = self.check(files)
        self.assertEqual(status, 1, output)
        self.assertTrue(any(line.startswith(where) and what in line for line in output.splitlines()),
                        f"no line '{where}...{what}...' in:\n{output}")
