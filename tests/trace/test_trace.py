#!/usr/bin/env python3
"""Runs the example `trace` (environment variable TRACE) and checks what it wrote: JSON, and a trace that viewers can draw."""
import collections
import json
import os
import pathlib
import subprocess
import tempfile
import unittest


class TraceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "trace.json"
            subprocess.run([os.environ["TRACE"], file], check=True, stdout=subprocess.DEVNULL)
            cls.trace = json.loads(file.read_text(encoding="utf-8"))
        cls.events = cls.trace["traceEvents"]
        cls.slices = [each for each in cls.events if each["ph"] == "X"]

    def test_every_event_has_what_the_format_demands(self):
        for each in self.events:
            self.assertIn(each["ph"], {"X", "i", "s", "f", "M"})
            self.assertIsInstance(each["name"], str)
            self.assertGreaterEqual(each["ts"], 0)
            self.assertGreaterEqual(each["pid"], 1)
            self.assertGreaterEqual(each["tid"], 1)
            if each["ph"] == "X":
                self.assertGreaterEqual(each["dur"], 0)
            if each["ph"] == "i":
                self.assertEqual(each["s"], "t")

    def test_events_stand_in_the_order_of_their_times(self):
        times = [each["ts"] for each in self.events]
        self.assertEqual(times, sorted(times))

    def test_nothing_was_dropped(self):
        self.assertEqual(self.trace["otherData"]["dropped_events"], "0")

    def test_pools_are_processes_and_workers_are_threads_with_names(self):
        names = collections.defaultdict(set)
        for each in self.events:
            if each["ph"] == "M" and "name" in each["args"]:
                names[each["name"]].add(each["args"]["name"])
        self.assertLessEqual({"cpu", "disk", "outside the pools"}, names["process_name"])
        self.assertLessEqual({"cpu/0", "cpu/1", "disk/0"}, names["thread_name"])

    def test_slices_of_a_thread_are_nested(self):
        threads = collections.defaultdict(list)
        for each in self.slices:
            begin = round(each["ts"] * 1000)
            threads[each["pid"], each["tid"]].append((begin, -round(each["dur"] * 1000)))
        for slices in threads.values():
            ends = []
            for begin, negative in sorted(slices):
                while ends and ends[-1] <= begin:
                    ends.pop()
                end = begin - negative
                if ends:
                    self.assertLessEqual(end, ends[-1])
                ends.append(end)

    def test_every_arrow_has_one_beginning_and_one_later_end(self):
        begins = {each["id"]: each for each in self.events if each["ph"] == "s"}
        ends = {each["id"]: each for each in self.events if each["ph"] == "f"}
        self.assertEqual(len(begins), sum(each["ph"] == "s" for each in self.events))
        self.assertEqual(len(ends), sum(each["ph"] == "f" for each in self.events))
        self.assertEqual(begins.keys(), ends.keys())
        self.assertLessEqual({"post", "wake"}, {each["name"] for each in begins.values()})
        for number, begin in begins.items():
            self.assertLessEqual(begin["ts"], ends[number]["ts"])
            self.assertEqual(begin["name"], ends[number]["name"])

    def test_work_and_sleep_of_every_kind_are_shown(self):
        names = {each["name"] for each in self.slices}
        self.assertLessEqual({"task", "asleep", "post", "fold", "tidy up", "sum"}, names)
        priorities = {each["args"].get("priority") for each in self.slices if each["name"] == "task"}
        self.assertLessEqual({"low", "high"}, priorities)
        self.assertTrue(any("waited_us" in each["args"] for each in self.slices))


if __name__ == "__main__":
    unittest.main()
