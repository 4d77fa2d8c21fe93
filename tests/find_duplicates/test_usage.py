"""The command line: good and bad usage, exit codes, what goes to stdout and what to stderr."""

import os
import unittest

from support import TreeTest, run


class BadUsage(TreeTest):
    def refuse(self, *arguments, mention, **options):
        result = run(*arguments, **options)
        self.assertEqual(result.code, 2, result)
        self.assertEqual(result.out, b"", result)
        self.assertIn(mention.encode(), result.err)
        self.assertTrue(result.err.startswith(b"find_duplicates: "), result)
        self.assertLessEqual(result.err.count(b"\n"), 2, result)

    def test_missing_directory(self):
        self.refuse(self.path("missing"), mention=self.path("missing"))
        self.refuse(self.root, self.path("missing"), mention="No such file or directory")

    def test_options_that_are_unknown_or_malformed(self):
        self.refuse("--frobnicate", self.root, mention="--frobnicate")
        self.refuse("--min-size", "many", self.root, mention="many")
        self.refuse("--min-size", "-1", self.root, mention="-1")
        self.refuse("--threads", "0", self.root, mention="--threads")
        self.refuse("--min-size", "2", "--max-size", "1", self.root, mention="--max-size")
        self.refuse("--json", "--print0", self.root, mention="--json")
        self.refuse(mention="no directory")

    def test_environment_that_is_malformed(self):
        self.refuse(self.root, mention="COEX_NUM_THREADS", env={"COEX_NUM_THREADS": "abc"})
        self.refuse(self.root, mention="COEX_IO", env={"COEX_IO": "nonsense"})


class GoodUsage(TreeTest):
    def test_help_and_version(self):
        result = run("--help")
        self.assertEqual((result.code, result.err), (0, b""))
        self.assertIn(b"Exit codes", result.out)
        result = run("--version")
        self.assertEqual((result.code, result.err), (0, b""))
        self.assertTrue(result.out.startswith(b"find_duplicates "))

    def test_explain_names_the_device_of_a_directory(self):
        result = run("--explain", self.root)
        self.assertEqual((result.code, result.err), (0, b""), result)
        self.assertIn(self.root.encode(), result.out)
        self.assertEqual(run("--explain").code, 0)

    def test_progress_goes_to_stderr_and_only_on_request_without_a_terminal(self):
        self.sparse("a", 1 << 30)
        self.sparse("b", 1 << 30)
        result = self.check("--progress", groups=["ab"])
        self.assertIn(b"comparing contents", result.err)
        self.assertTrue(result.err.endswith(b"\r\x1b[K"), result.err[-100:])
        self.assertEqual(self.check(groups=["ab"]).err, b"")
        self.assertEqual(self.check("--quiet", groups=["ab"]).err, b"")

    def test_report_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            result = run("--json", self.root, stdout=full)
        self.assertEqual(result.code, 3, result)
        self.assertIn(b"No space left on device", result.err)

    def test_names_that_look_like_options_follow_two_dashes(self):
        os.mkdir(self.path("-d"))
        self.write("-d/a", b"same")
        self.write("-d/b", b"same")
        result = run("--json", "--", "-d", cwd=self.root)
        self.assertEqual(result.report["groups"][0]["files"], ["-d/a", "-d/b"], result)


if __name__ == "__main__":
    unittest.main()
