"""The simulation: its arguments, its CSV, and the plot that is made of it. Never how long anything took."""

import csv
import io
import os
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

PROGRAM = os.environ.get("GRANULARITY", "granularity")
PLOT = os.environ.get("PLOT", "plot.py")
TIMEOUT = 120  # seconds
COLUMNS = "task_ms elapsed_ms threads ideal_ms overhead_us_per_task tasks mode pool".split()


def run(*arguments, environment=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=TIMEOUT, check=False, text=True,
                          env={**os.environ, **(environment or {})})


class Measuring(unittest.TestCase):
    def rows(self, *arguments, **options):
        result = run(*arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        for row in rows:
            self.assertEqual(list(row), COLUMNS)
            share = int(row["threads"]) / int(row["tasks"])
            overhead = (float(row["elapsed_ms"]) - float(row["ideal_ms"])) * 1000 * share
            # The two times are rounded to a microsecond, each by half of one at most; the overhead to 0.1 ns.
            self.assertAlmostEqual(float(row["overhead_us_per_task"]), overhead, delta=1.01 * share + 0.0001)
        return rows

    def test_sleeping_tasks_take_at_least_the_ideal(self):
        for pool in ("coex", "mutex"):
            rows = self.rows("--compute", "60ms", "--threads", "3", "--pool", pool, "2", "10ms", "20000us")
            self.assertEqual([row["task_ms"] for row in rows], ["2", "10", "20"])
            self.assertEqual([row["tasks"] for row in rows], ["30", "6", "3"])
            self.assertEqual([row["ideal_ms"] for row in rows], ["20.000", "20.000", "20.000"])
            for row in rows:
                self.assertGreaterEqual(float(row["elapsed_ms"]), float(row["ideal_ms"]))
                self.assertEqual((row["threads"], row["mode"], row["pool"]), ("3", "sleep", pool))

    def test_the_ideal_counts_the_last_round_whole(self):
        row, = self.rows("--compute", "14ms", "--threads", "4", "2ms")
        self.assertEqual((row["tasks"], row["ideal_ms"]), ("7", "4.000"))

    def test_computing_tasks_are_measured_against_plain_threads(self):
        for more in (["--results", "count"], ["--results", "channel"], ["--pool", "mutex"], ["--clock", "after"]):
            rows = self.rows("--mode", "spin", "--compute", "5ms", "--threads", "2", "--repetitions", "3", "1us", "100us", *more)
            self.assertEqual([row["tasks"] for row in rows], ["5000", "50"])
            self.assertTrue(all(float(row["ideal_ms"]) > 0 for row in rows))

    def test_coroutines_all_wait_at_the_same_time(self):
        row, = self.rows("--mode", "coroutine", "--compute", "1s", "--threads", "1", "10ms")
        self.assertEqual((row["tasks"], row["ideal_ms"], row["mode"]), ("100", "10.000", "coroutine"))
        self.assertGreaterEqual(float(row["elapsed_ms"]), 10)

    def test_most_tasks_limits_the_work(self):
        row, = self.rows("--mode", "spin", "--most-tasks", "100", "100ns")
        self.assertEqual(row["tasks"], "100")

    def test_the_number_of_threads_comes_from_the_environment(self):
        row, = self.rows("--compute", "2ms", "1ms", environment={"COEX_NUM_THREADS": "3"})
        self.assertEqual(row["threads"], "3")


class Usage(unittest.TestCase):
    def refuse(self, *arguments, mention, **options):
        result = run(*arguments, **options)
        self.assertEqual((result.returncode, result.stdout), (2, ""), result)
        self.assertIn(mention, result.stderr)
        self.assertTrue(result.stderr.startswith("granularity: "), result)
        self.assertEqual(result.stderr.count("\n"), 1, result)

    def test_bad_arguments_are_refused_with_a_reason(self):
        self.refuse("--frobnicate", mention="--frobnicate")
        self.refuse("soon", mention='"soon" is not a positive length')
        self.refuse("0", mention='"0" is not')
        self.refuse("-1ms", mention="-1ms")
        self.refuse("nan", mention="nan")
        self.refuse("10h", mention="10h")
        self.refuse("--threads", "0", mention="--threads")
        self.refuse("--threads", "100000", mention="--threads")
        self.refuse("--mode", "dream", mention="--mode")
        self.refuse("--mode", "coroutine", "--pool", "mutex", "1ms", mention="knows no coroutines")
        self.refuse("--compute", "1ms", "2ms", mention="longer than all the work")
        self.refuse("1ms", "--compute", "1ms", mention="COEX_NUM_THREADS", environment={"COEX_NUM_THREADS": "many"})

    def test_help_and_version(self):
        self.assertIn("overhead_us_per_task", run("--help").stdout)
        self.assertTrue(run("--version").stdout.startswith("granularity "))


class Plot(unittest.TestCase):
    def plot(self, *arguments):
        return subprocess.run([sys.executable, PLOT, *arguments], capture_output=True, timeout=TIMEOUT, check=False, text=True)

    def test_a_picture_has_a_line_for_each_pool(self):
        with tempfile.TemporaryDirectory() as folder:
            data, picture = os.path.join(folder, "data.csv"), os.path.join(folder, "out.svg")
            with open(data, "w", encoding="utf-8") as file:
                file.write(run("--compute", "4ms", "1ms", "2ms").stdout)
            result = self.plot(picture, data, "other <pool>=" + data)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            drawn = xml.dom.minidom.parse(picture)
            self.assertEqual(len(drawn.getElementsByTagName("polyline")), 2)
            self.assertEqual(len(drawn.getElementsByTagName("circle")), 4)

    def test_bad_input_is_refused_with_a_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            empty, picture = os.path.join(folder, "empty.csv"), os.path.join(folder, "out.svg")
            with open(empty, "w", encoding="utf-8"):
                pass
            for arguments in ((), ("out.txt", empty), (picture, empty), (picture, os.path.join(folder, "missing.csv"))):
                result = self.plot(*arguments)
                self.assertNotEqual(result.returncode, 0)
                self.assertNotIn("Traceback", result.stderr)


if __name__ == "__main__":
    unittest.main()
