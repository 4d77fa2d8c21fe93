#!/usr/bin/env python3
"""Runs the example `copy_tree` (environment variable COPY_TREE) and compares the copies with what they were made of."""
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest


def run(*arguments, **options):
    return subprocess.run([os.environ["COPY_TREE"], *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          check=False, **options)


def describe(root):
    """What a copy must have in common with its source: by relative path, type, mode, time, contents or target."""
    found = {}
    inodes = {}
    for place, folders, files in os.walk(root):
        for name in [".", *folders, *files]:
            path = pathlib.Path(place) / name
            status = path.lstat()
            relative = str(path.relative_to(root))
            contents = None
            if path.is_symlink():
                contents = os.readlink(path)
            elif path.is_file():
                contents = path.read_bytes()
                first = inodes.setdefault(status.st_ino, relative)
                contents = (contents, first)
            found[relative] = (oct(status.st_mode), status.st_mtime_ns, contents)
    return found


class CopyTreeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        top = pathlib.Path(self.folder.name)
        self.source = top / "source"
        self.target = top / "target"
        self.source.mkdir()

    def make_tree(self):
        deep = self.source / "a" / "b" / "c"
        deep.mkdir(parents=True)
        for i in range(200):
            (deep / f"file {i}").write_bytes(os.urandom(i * 100))
        (deep / "large").write_bytes(os.urandom(3_500_000))
        (deep / "odd\nname\udcff").write_text("odd")
        os.link(deep / "large", self.source / "second name")
        (self.source / "link").symlink_to("a/b/nowhere")
        (self.source / "empty").mkdir()
        (self.source / "program").write_text("#!/bin/sh\n")
        (self.source / "program").chmod(0o751)
        os.utime(self.source / "program", ns=(1_000_000_000_123_456_789, 1_100_000_000_987_654_321))
        os.utime(self.source / "link", ns=(5_000_000_000, 6_000_000_000), follow_symlinks=False)
        deep.chmod(0o500 if os.geteuid() == 0 else 0o700)
        os.utime(self.source / "a", ns=(7_000_000_000, 8_000_000_000))

    def assert_no_leftovers(self):
        self.assertEqual([each for each in pathlib.Path(self.folder.name).rglob(".copy_tree-*")], [])

    def test_a_copy_has_all_that_the_source_has(self):
        self.make_tree()
        done = run(self.source, self.target)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(describe(self.target), describe(self.source))
        self.assert_no_leftovers()

    def test_a_copy_to_another_device_has_all_that_the_source_has(self):
        if not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat(self.source).st_dev:
            self.skipTest("there is no second file system")
        self.make_tree()
        with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
            done = run("--sync", self.source, pathlib.Path(other) / "copy")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(describe(pathlib.Path(other) / "copy"), describe(self.source))

    def test_holes_stay_holes(self):
        with open(self.source / "sparse", "wb") as sparse:
            sparse.seek(50_000_000)
            sparse.write(b"end")
            sparse.truncate(100_000_000)
        self.assertEqual(run(self.source, self.target).returncode, 0)
        copy = (self.target / "sparse").stat()
        self.assertEqual(copy.st_size, 100_000_000)
        self.assertLess(copy.st_blocks * 512, 1_000_000)
        self.assertEqual((self.target / "sparse").read_bytes(), (self.source / "sparse").read_bytes())

    def test_a_single_file_is_copied_too(self):
        (self.source / "one").write_text("one")
        self.assertEqual(run(self.source / "one", self.target).returncode, 0)
        self.assertEqual(self.target.read_text(), "one")

    def test_what_is_there_is_kept_without_force_and_replaced_with_it(self):
        (self.source / "one").write_text("new")
        (self.source / "two").write_text("two")
        self.target.mkdir()
        (self.target / "one").write_text("old")
        refused = run(self.source, self.target)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(str(self.source / "one"), refused.stderr)
        self.assertIn("--force", refused.stderr)
        self.assertEqual((self.target / "one").read_text(), "old")
        self.assertEqual((self.target / "two").read_text(), "two")
        forced = run("--force", self.source, self.target)
        self.assertEqual((forced.returncode, forced.stderr), (0, ""))
        self.assertEqual((self.target / "one").read_text(), "new")
        self.assert_no_leftovers()

    def test_hard_links_are_replaced_with_force(self):
        self.make_tree()
        self.assertEqual(run(self.source, self.target).returncode, 0)
        self.assertEqual(run("-f", self.source, self.target).returncode, 0)
        self.assertEqual(describe(self.target), describe(self.source))

    def test_a_link_in_the_target_leads_nothing_astray(self):
        outside = pathlib.Path(self.folder.name) / "outside"
        outside.mkdir()
        (self.source / "inside").mkdir()
        (self.source / "inside" / "file").write_text("text")
        self.target.mkdir()
        (self.target / "inside").symlink_to(outside)
        done = run("--force", self.source, self.target)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Not a directory", done.stderr)
        self.assertEqual(list(outside.iterdir()), [])

    def test_what_cannot_be_copied_is_told_and_the_rest_is_copied(self):
        (self.source / "good").write_text("good")
        os.mkfifo(self.source / "pipe")
        done = run(self.source, self.target)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"'{self.source / 'pipe'}' is not copied", done.stderr)
        self.assertEqual((self.target / "good").read_text(), "good")

    def test_a_file_that_cannot_be_written_whole_gets_no_name(self):
        (self.source / "large").write_bytes(bytes(b"x") * 3_000_000)
        (self.source / "small").write_text("small")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

        done = run(self.source, self.target, preexec_fn=limit)
        self.assertEqual(done.returncode, 1)
        self.assertIn("large", done.stderr)
        self.assertEqual(sorted(os.listdir(self.target)), ["small"])

    def test_nonsense_is_refused(self):
        (self.source / "file").write_text("text")
        for arguments in [(), (self.source,), (self.source / "missing", self.target), (self.source, self.source / "in"),
                          (self.source, self.source), (self.source / "file", self.source / "file"),
                          ("--jobs", 0, self.source, self.target)]:
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotEqual(done.stderr, "")
        self.assertEqual(os.listdir(self.source), ["file"])

    def test_an_interrupted_copy_ends_and_leaves_no_half_file(self):
        block = os.urandom(2_000_000)
        for i in range(150):
            (self.source / str(i)).write_bytes(block)
        with subprocess.Popen([os.environ["COPY_TREE"], "--sync", "-j", "2", self.source, self.target],
                              stderr=subprocess.PIPE, text=True) as process:
            while not self.target.exists() and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        if process.returncode != 0:  # it may have been faster
            self.assertEqual(process.returncode, 130)
            self.assertIn("no half file", errors)
        for each in self.target.iterdir():
            self.assertEqual(each.read_bytes(), block)
        self.assert_no_leftovers()

    def tearDown(self):
        for place, _, _ in os.walk(self.folder.name):
            os.chmod(place, 0o700)
        shutil.rmtree(self.folder.name)
        os.mkdir(self.folder.name)


if __name__ == "__main__":
    unittest.main()
