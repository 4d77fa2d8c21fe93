"""What cannot be read, changes, vanishes or is interrupted: reported, never fatal, nothing lost."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time
import unittest

from support import PROGRAM, TIMEOUT, TreeTest, run

GIB = 1 << 30


class Unreadable(TreeTest):
    def test_unreadable_files_and_directories_are_reported_once_and_the_rest_is_found(self):
        unprivileged = self.as_nobody()
        for name in ("a", "b", "locked", "closed/c", "d/e"):
            self.write(name, b"same")
        self.write("locked_but_unique", b"a size of its own")
        for name in ("locked", "locked_but_unique", "closed"):
            os.chmod(self.path(name), 0)
        result = self.check(groups=[["a", "b", "d/e"]], code=1, **unprivileged)
        self.assertEqual(set(result.errors), {self.path("locked"), self.path("closed")}, result)
        self.assertEqual(result.report["summary"]["errors"], 2)
        for name in ("locked", "closed"):
            self.assertEqual(result.err.count(f"'{self.path(name)}'".encode()), 1, result)
            self.assertIn("Permission denied", result.errors[self.path(name)])

    def test_unreadable_directory_as_argument_is_an_error_of_the_search(self):
        unprivileged = self.as_nobody()
        self.write("closed/a", b"same")
        os.chmod(self.path("closed"), 0)
        result = run("--json", self.path("closed"), **unprivileged)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(set(result.errors), {self.path("closed")})

    def test_directory_that_can_be_listed_but_not_searched_loses_nothing_silently(self):
        unprivileged = self.as_nobody()
        self.write("d/a", b"same")
        self.write("d/b", b"same")
        os.chmod(self.path("d"), 0o444)
        result = self.check(groups=[], code=1, **unprivileged)
        self.assertEqual(set(result.errors), {self.path("d/a"), self.path("d/b")}, result)

    def test_paths_too_long_for_the_kernel_are_reported(self):
        self.write("a", b"same")
        self.write("b", b"same")
        former = os.getcwd()
        try:
            os.chdir(self.root)
            for _ in range(25):
                os.mkdir("x" * 200)
                os.chdir("x" * 200)
        finally:
            os.chdir(former)
        result = self.check(groups=["ab"], code=1)
        self.assertEqual(len(result.errors), 1, result)
        shutil.rmtree(self.root)
        os.mkdir(self.root)


class Changing(TreeTest):
    def test_file_that_changes_while_it_is_read_is_reported_and_left_out(self):
        for name in "abc":
            self.sparse(name, GIB)
        stop = threading.Event()

        def touch():
            while not stop.wait(0.002):
                os.utime(self.path("c"))

        toucher = threading.Thread(target=touch)
        toucher.start()
        try:
            result = self.check(groups=["ab"], code=1)
        finally:
            stop.set()
            toucher.join()
        self.assertEqual(set(result.errors), {self.path("c")}, result)
        self.assertIn("changed", result.errors[self.path("c")])

    def test_files_that_vanish_are_never_fatal(self):
        stop = threading.Event()

        def churn():
            while not stop.is_set():
                for i in range(100):
                    self.write(f"churn/{i}/x", b"same size")
                shutil.rmtree(self.path("churn"))

        self.write("a", b"stays")
        self.write("b", b"stays")
        churner = threading.Thread(target=churn)
        churner.start()
        try:
            for _ in range(20):
                result = run("--json", self.root)
                self.assertIn(result.code, (0, 1), result)
                self.assertIn(frozenset(["a", "b"]), self.names(result), result)
                self.assertEqual(result.code, 1 if result.errors else 0)
                self.assertEqual(result.err.count(b"\n"), len(result.report["errors"]), result)
        finally:
            stop.set()
            churner.join()


class FewDescriptors(TreeTest):
    def test_five_thousand_files_with_64_descriptors(self):
        expected = []
        for i in range(2500):
            content = b"%d" % i * 3
            self.write(f"{i % 50}/{i}", content)
            self.write(f"copy/{i % 50}/{i}", content)
            expected.append([f"{i % 50}/{i}", f"copy/{i % 50}/{i}"])

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        result = self.check(groups=expected, preexec_fn=limit)
        self.assertEqual(result.report["summary"]["files"], 5000)
        self.assertEqual(result.err, b"")

    def test_soft_limit_is_raised(self):
        for i in range(500):
            self.write(f"{i}", b"same")

        def limit():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (16, hard))

        self.check(groups=[[f"{i}" for i in range(500)]], preexec_fn=limit)


class Interrupted(TreeTest):
    def interrupt(self, number, delay):
        process = subprocess.Popen([PROGRAM, "--json", self.root], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(delay)
        sent = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT)
        return process.returncode, out, err, time.monotonic() - sent

    def test_signals_end_a_long_search_at_once_with_nothing_on_stdout(self):
        self.sparse("a", 100 * GIB)
        self.sparse("b", 100 * GIB)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            code, out, err, seconds = self.interrupt(number, 0.5)
            self.assertEqual((code, out, err), (128 + number, b"", b""))
            self.assertLess(seconds, 10)  # reading all of it would take minutes

    def test_interrupt_at_any_moment_leaves_a_whole_report_or_none(self):
        for i in range(3000):
            self.write(f"{i % 30}/{i}", b"x" * (i % 100 + 1))
        begin = time.monotonic()
        run("--json", self.root)
        whole = time.monotonic() - begin
        seed = random.randrange(1 << 32)
        generator = random.Random(seed)
        for _ in range(30):
            code, out, err, _ = self.interrupt(signal.SIGINT, generator.uniform(0.0, 1.3 * whole))
            message = f"seed {seed}: {code} {out[:300]!r} {err[:300]!r}"
            self.assertIn(code, (0, 130, -signal.SIGINT), message)  # the last: before main() had begun
            if out:
                self.assertEqual(len(json.loads(out)["groups"]), 100, message)
            else:
                self.assertNotEqual(code, 0, message)

    def test_ignored_signal_stays_ignored(self):
        for i in range(1000):
            self.write(f"{i}", b"x" * (i % 100 + 1))

        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)

        process = subprocess.Popen([PROGRAM, "--json", self.root], stdout=subprocess.PIPE, preexec_fn=ignore)
        for _ in range(20):
            process.send_signal(signal.SIGINT)
            time.sleep(0.001)
        out, _ = process.communicate(timeout=TIMEOUT)
        self.assertEqual((process.returncode, len(json.loads(out)["groups"])), (0, 100))


if __name__ == "__main__":
    unittest.main()
