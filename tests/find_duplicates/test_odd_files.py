"""Links, odd names, special files: what a tree may contain besides plain files."""

import os
import shutil
import socket
import stat
import subprocess
import unittest

from support import PROGRAM, TIMEOUT, Run, TreeTest, run


class HardLinks(TreeTest):
    def test_hard_links_count_as_one_file(self):
        self.write("a", b"same")
        os.link(self.path("a"), self.path("b"))
        self.check(groups=[])
        self.write("c", b"same")
        self.check(groups=[["a", "c"]])

    def test_hard_links_are_listed_on_request(self):
        self.write("b", b"same")
        os.link(self.path("b"), self.path("a"))
        os.link(self.path("b"), self.path("z"))
        self.write("c", b"same")
        group = self.check("--hard-links", groups=[["a", "c"]]).report["groups"][0]
        self.assertEqual([link["path"] for link in group["hard_links"]["0"]], [self.path("b"), self.path("z")])
        text = run("--hard-links", self.root).out.decode()
        self.assertIn(f"  {self.path('a')}\n    hard link: {self.path('b')}\n", text)


class SymbolicLinks(TreeTest):
    def test_links_are_not_followed_by_default(self):
        self.write("d/a", b"same")
        self.write("outside/b", b"same")
        os.symlink("../outside/b", self.path("d/link"))
        os.symlink("../outside", self.path("d/dir"))
        result = run("--json", self.path("d"))
        self.assertEqual(result.report["groups"], [])
        self.assertEqual(result.report["summary"]["skipped_symbolic_links"], 2)

    def test_loops_end_and_each_file_is_found_once(self):
        self.write("a", b"same")
        self.write("d/e/b", b"same")
        os.symlink("..", self.path("d/up"))
        os.symlink(self.root, self.path("d/e/top"))
        os.symlink("self", self.path("self"))
        os.symlink("pong", self.path("ping"))
        os.symlink("ping", self.path("pong"))
        os.symlink("missing", self.path("dangling"))
        result = self.check("--follow-links", groups=[["a", "d/e/b"]])
        self.assertEqual(result.report["summary"]["broken_symbolic_links"], 4)

    def test_followed_links_lead_outside(self):
        self.write("in/a", b"same")
        self.write("out/b", b"same")
        self.write("out/deep/c", b"same")
        os.symlink("../out", self.path("in/link"))
        os.symlink("../out/b", self.path("in/file"))
        result = run("--json", "--follow-links", self.path("in"))
        names = {frozenset(["in/a", "in/file", "in/link/deep/c"]), frozenset(["in/a", "in/link/b", "in/link/deep/c"])}
        self.assertIn(next(iter(self.names(result))), names, result)
        self.assertEqual(len(result.report["groups"]), 1)
        for _ in range(5):
            self.assertEqual(run("--json", "--follow-links", self.path("in")).out, result.out)

    def test_mesh_of_links_ends(self):
        for i in range(12):
            self.write(f"{i}/file", b"same")
            for k in range(12):
                os.symlink(f"../{k}", self.path(f"{i}/to{k}"))
        self.check("--follow-links", groups=[[f"{i}/file" for i in range(12)]])


class Names(TreeTest):
    NAMES = [
        b"new\nline",
        b"tab\tname",
        b"bad\xff\xfeutf8",
        b"overlong\xc0\xaf",
        b"surrogate\xed\xa0\x80",
        b"cut\xe2\x82",
        b"\x1b[31mred",
        b"c1\xc2\x9b",
        b"quo'te\"s",
        b"back\\slash\\n",
        b"$'fake'",
        b" leading and trailing ",
        b"-rf",
        b"*?[glob]",
        "snow ☃ 𝄞".encode(),
        b"x" * 255,
    ]

    def setUp(self):
        super().setUp()
        self.paths = [self.write(name, b"same") for name in self.NAMES]

    def test_json_is_valid_and_gives_the_exact_names(self):
        result = run("--json", self.root)
        self.assertEqual(result.groups, {frozenset(self.paths)}, result)
        shown = result.report["groups"][0]["files"]
        self.assertTrue(any("bad\ufffd\ufffdutf8" in path for path in shown))

    def test_print0_gives_the_exact_names(self):
        self.write("other1", b"2")
        self.write("other2", b"2")
        first, second = run("--print0", self.root).out.split(b"\0\0")
        self.assertEqual(first.split(b"\0"), sorted(self.paths))
        self.assertEqual(second.rstrip(b"\0").split(b"\0"), [os.fsencode(self.path(f"other{i}")) for i in (1, 2)])

    def test_text_has_one_line_for_each_file_and_a_shell_reads_it_back(self):
        lines = run(self.root).out.split(b"\n")
        files = [line[2:] for line in lines if line.startswith(b"  ")]
        self.assertEqual(len(files), len(self.NAMES))
        for line in files:
            line.decode("utf-8")
        read_back = set()
        for line in files:
            if line.startswith(b"$'"):
                line = subprocess.run(["bash", "-c", b"printf %s " + line], stdout=subprocess.PIPE, check=True).stdout
            read_back.add(line)
        self.assertEqual(read_back, set(self.paths))

    def test_errors_on_odd_names_are_one_line_each(self):
        unprivileged = self.as_nobody()
        for path in self.paths:
            os.chmod(path, 0)
        result = run("--json", self.root, **unprivileged)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(len(result.report["errors"]), len(self.NAMES))
        self.assertEqual(result.err.count(b"\n"), len(self.NAMES))
        result.err.decode("utf-8")


class SpecialFiles(TreeTest):
    def test_they_are_skipped_and_counted(self):
        self.write("a", b"same")
        self.write("b", b"same")
        os.mkfifo(self.path("fifo"))
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path("socket"))
        expected = 2
        try:
            os.mknod(self.path("null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
            expected += 1
        except PermissionError:
            pass
        for option in ([], ["--follow-links"], ["--empty"]):
            result = self.check(*option, groups=[["a", "b"]])
            self.assertEqual(result.report["summary"]["skipped_special_files"], expected, result)

    def test_special_file_as_argument_is_skipped(self):
        os.mkfifo(self.path("fifo"))
        result = run("--json", self.path("fifo"), "/dev/null")
        self.assertEqual((result.code, result.report["groups"]), (0, []), result)


class Mounts(TreeTest):
    def mounted(self, *arguments):
        """Runs with a tmpfs on `mount`, in a mount namespace of its own, with an equal file in it."""
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            self.skipTest("needs root to mount a file system")
        os.makedirs(self.path("mount"), exist_ok=True)
        script = 'mount -t tmpfs none "$1" && echo -n same > "$1/c" && shift && exec "$@"'
        command = ["unshare", "-m", "sh", "-c", script, "sh", self.path("mount"), PROGRAM, "--json", *arguments]
        process = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
        if b"unshare" in process.stderr or b"mount:" in process.stderr:
            self.skipTest("may not mount a file system")
        return Run(process)

    def test_other_file_systems_are_entered_unless_forbidden(self):
        self.write("a", b"same")
        self.write("b", b"same")
        result = self.mounted(self.root)
        self.assertEqual(self.names(result), {frozenset(["a", "b", "mount/c"])}, result)
        result = self.mounted("--one-file-system", self.root)
        self.assertEqual(self.names(result), {frozenset(["a", "b"])}, result)
        result = self.mounted("--one-file-system", self.root, self.path("mount"))
        self.assertEqual(self.names(result), {frozenset(["a", "b", "mount/c"])}, result)


if __name__ == "__main__":
    unittest.main()
