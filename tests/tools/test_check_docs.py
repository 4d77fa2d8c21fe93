"""tools/check_docs.py gives compilers the examples of a document, each whole, and turns red when one refuses them."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/check_docs.py"

# Instead of a compiler: shows what it is given, and answers as it is told.
COMPILER = """#!/bin/sh
for file; do :; done
cat "$file"
exit "$ANSWER"
"""


class CheckDocs(unittest.TestCase):
    def check(self, text, answer=1):
        """(exit status, output) when the compiler ends with `answer`; unless it is 0, the output shows what it was given."""
        with tempfile.TemporaryDirectory(prefix="coex-docs-") as place:
            compiler = pathlib.Path(place) / "compiler"
            compiler.write_text(COMPILER, encoding="utf-8")
            compiler.chmod(0o700)
            document = pathlib.Path(place) / "a.md"
            document.write_text(text, encoding="utf-8")
            run = subprocess.run([sys.executable, TOOL, "--compiler", compiler, document], capture_output=True, text=True,
                                 check=False, env={**os.environ, "ANSWER": str(answer)})
            return run.returncode, run.stdout + run.stderr

    def test_a_block_is_compiled_under_its_own_line(self):
        _, output = self.check("# Title\n\n```cpp\nint a;\n```\n")
        self.assertRegex(output, r'#include <exec/exec.hpp>\nnamespace block_1 \{\n\n#line 4 ".*a\.md"\nint a;\n')

    def test_a_block_that_compiles_is_counted(self):
        self.assertEqual(self.check("```cpp\nint a;\n```\n", answer=0), (0, "a.md: 1 blocks\n"))

    def test_a_refused_block_fails(self):
        status, output = self.check("```cpp\nmistake\n```\n")
        self.assertEqual(status, 1, output)
        self.assertIn("refused by 1 of 1 compilers", output)

    def test_what_stands_above_is_wrapped_around_it(self):
        _, output = self.check("<!-- code:\n#include <vector>\nvoid f() {\n    @\n}\n-->\n```cpp\ng();\n```\n")
        self.assertRegex(output, r"#include <vector>\nnamespace(?s:.*)void f\(\) \{\n(?s:.*)g\(\);\n(?s:.*)\}\n\}\n")

    def test_includes_move_to_the_top_and_lines_stay(self):
        _, output = self.check("```cpp\n#include <map>\n\nint a;\n```\n")
        self.assertRegex(output, r'#include <map>\nnamespace(?s:.*)#line 2 ".*"\n\n\nint a;\n')

    def test_a_block_that_is_left_out_is_not_compiled(self):
        status, output = self.check("<!-- code: left out, needs more -->\n```cpp\nmistake\n```\n")
        self.assertEqual((status, output), (0, ""))

    def test_a_comment_that_is_for_another_block_does_not_count(self):
        _, output = self.check("<!-- code: left out -->\n```sh\nls\n```\n\n```cpp\nint b;\n```\n")
        self.assertIn("int b;", output)

    def test_a_wrapping_without_a_place_is_refused(self):
        status, output = self.check("<!-- code:\nvoid f();\n-->\n```cpp\nint a;\n```\n")
        self.assertEqual(status, 1, output)
        self.assertIn("no line with only @", output)

    def test_other_languages_are_none_of_its_business(self):
        self.assertEqual(self.check("```sh\nmistake\n```\n"), (0, ""))


if __name__ == "__main__":
    unittest.main()
