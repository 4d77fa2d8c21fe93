"""Which files are found to be equal, and in which order they are reported."""

import os
import unittest

from support import TreeTest, run

KIB = 1024


class Groups(TreeTest):
    def test_equal_files_are_a_group_and_others_are_not(self):
        self.write("a", b"same")
        self.write("d/b", b"same")
        self.write("d/e/c", b"same")
        self.write("other", b"diff")
        self.write("longer", b"same and more")
        result = self.check(groups=[["a", "d/b", "d/e/c"]])
        self.assertEqual(result.report["groups"][0]["size"], 4)
        self.assertEqual(result.err, b"")

    def test_no_duplicates_is_an_empty_report(self):
        self.write("a", b"1")
        self.check(groups=[])
        self.assertIn(b"No duplicates", run(self.root).out)

    def test_files_that_differ_in_their_last_byte_only_are_told_apart_at_every_size(self):
        expected = []
        sizes = [1, 4095, 4096, 4097, 16383, 16384, 16385, 65536, 256 * KIB, 256 * KIB + 1, 3 * 1024 * KIB + 7]
        for size in sizes:
            body = os.urandom(size - 1)
            for copy in ("x", "y"):
                self.write(f"{size}/{copy}", body + b"\0")
                self.write(f"{size}/{copy}2", body + b"\1")
            expected += [[f"{size}/x", f"{size}/y"], [f"{size}/x2", f"{size}/y2"]]
        self.check(groups=expected)

    def test_files_that_differ_in_the_middle_only_are_told_apart(self):
        for place in (0, 5000, 20000, 300000, 700000):
            body = bytearray(1024 * KIB)
            body[place] = 1
            self.write(f"{place}", bytes(body))
        self.write("copy", bytes(1024 * KIB))
        self.write("copy2", bytes(1024 * KIB))
        self.check(groups=[["copy", "copy2"]])

    def test_empty_files_are_left_out_unless_asked_for(self):
        self.write("a", b"")
        self.write("b", b"")
        self.check(groups=[])
        self.check("--empty", groups=[["a", "b"]])
        self.check("--min-size", "0", groups=[["a", "b"]])

    def test_sizes_limit_the_search(self):
        for size in (10, 2 * KIB, 3 * KIB):
            for copy in "ab":
                self.write(f"{size}{copy}", b"x" * size)
        self.check("--min-size", "2K", groups=[["2048a", "2048b"], ["3072a", "3072b"]])
        self.check("--max-size", "2KiB", groups=[["10a", "10b"], ["2048a", "2048b"]])
        self.check("--min-size", "2048", "--max-size", "2048", groups=[["2048a", "2048b"]])

    def test_excluded_names_and_paths_are_left_out(self):
        for name in ("a.o", "b", "c", "skip/d", "deep/skip/e", "deep/f"):
            self.write(name, b"same")
        self.check("--exclude", "*.o", "--exclude", "skip", groups=[["b", "c", "deep/f"]])
        self.check("--exclude", "*/deep/*", groups=[["a.o", "b", "c", "skip/d"]])

    def test_report_is_ordered_by_size_then_path_and_always_the_same(self):
        for i in range(200):
            self.write(f"{i % 7}/{i}", b"x" * (1 + i % 20))
        first = run("--json", self.root)
        sizes = [group["size"] for group in first.report["groups"]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        for group in first.report["groups"]:
            self.assertEqual(group["files"], sorted(group["files"]))
        for _ in range(5):
            self.assertEqual(run("--json", self.root).out, first.out)

    def test_same_size_groups_are_ordered_by_path(self):
        for name, content in (("d", b"1"), ("c", b"1"), ("b", b"2"), ("a", b"2"), ("e", b"3"), ("f", b"3")):
            self.write(name, content)
        files = [[os.path.basename(p) for p in g["files"]] for g in run("--json", self.root).report["groups"]]
        self.assertEqual(files, [["a", "b"], ["c", "d"], ["e", "f"]])

    def test_summary_counts(self):
        for name in "abc":
            self.write(name, b"12345")
        self.write("d/u", b"1")
        summary = self.check(groups=["abc"]).report["summary"]
        self.assertEqual(summary["files"], 4)
        self.assertEqual(summary["bytes"], 16)
        self.assertEqual(summary["directories"], 2)
        self.assertEqual((summary["groups"], summary["duplicates"], summary["duplicate_bytes"]), (1, 2, 10))
        self.assertEqual(summary["errors"], 0)

    def test_thread_counts_do_not_change_the_result(self):
        for i in range(300):
            self.write(f"{i}", b"x" * (i % 10 * 1000 + 1))
        reference = run("--json", self.root).out
        for threads in ("1", "2", "7"):
            self.assertEqual(run("--json", "--threads", threads, self.root).out, reference)


class Arguments(TreeTest):
    def test_directory_given_twice_or_inside_another_counts_once(self):
        self.write("d/a", b"same")
        self.write("d/e/b", b"same")
        self.write("d/e/only", b"only this")
        for extra in (["d"], ["d/"], ["d/e"], ["d/../d"], ["d/e", "d/e/"], ["."]):
            result = run("--json", self.path("d"), *[self.path(name) for name in extra])
            self.assertEqual(result.code, 0, result)
            groups = [{os.path.normpath(path) for path in group["files"]} for group in result.report["groups"]]
            self.assertEqual(groups, [{self.path("d/a"), self.path("d/e/b")}], (extra, result))

    def test_files_can_be_arguments(self):
        self.write("a", b"same")
        self.write("d/b", b"same")
        result = run("--json", self.path("a"), self.path("d"), self.path("a"))
        self.assertEqual(self.names(result), {frozenset(["a", "d/b"])}, result)

    def test_relative_paths_stay_relative(self):
        self.write("d/a", b"same")
        self.write("d/b", b"same")
        result = run("--json", "d", cwd=self.root)
        self.assertEqual(result.report["groups"][0]["files"], ["d/a", "d/b"])
        result = run("--json", ".", cwd=self.root)
        self.assertEqual(result.report["groups"][0]["files"], ["./d/a", "./d/b"])

    def test_link_given_as_argument_is_followed(self):
        self.write("d/a", b"same")
        self.write("d/b", b"same")
        os.symlink("d", self.path("link"))
        result = run("--json", self.path("link"))
        self.assertEqual(self.names(result), {frozenset(["link/a", "link/b"])}, result)


if __name__ == "__main__":
    unittest.main()
