"""tools/with_timeout passes on how a command ends, and ends one that does not."""
import os
import pathlib
import shutil
import subprocess
import time
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/with_timeout"


def run(*arguments):
    # The scale that a sanitizer run asks for is not for the sleepers here.
    environment = {name: value for name, value in os.environ.items() if name != "COEX_TIMEOUT_SCALE"}
    return subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False, env=environment, timeout=200)


class WithTimeout(unittest.TestCase):
    def test_the_exit_status_is_passed_on(self):
        self.assertEqual(run("60", "true").returncode, 0)
        self.assertEqual(run("60", "sh", "-c", "exit 3").returncode, 3)

    def test_a_signal_is_named(self):
        ended = run("60", "sh", "-c", "kill -SEGV $$")
        self.assertEqual(ended.returncode, 128 + 11)
        self.assertIn("killed by signal 11", ended.stderr)

    def test_signals_ignored_around_it_are_heard_inside(self):
        ignoring = subprocess.run(["sh", "-c", 'trap "" HUP INT; exec "$@"', "sh", TOOL, "60", "sh", "-c", "kill -HUP $$"],
                                  capture_output=True, text=True, check=False, timeout=200)
        self.assertIn("killed by signal 1", ignoring.stderr)

    def test_a_hang_is_ended_and_says_which_command(self):
        ended = run("0.5", "sleep", "1000")
        self.assertEqual(ended.returncode, 124)
        self.assertIn("no end after 0.5 s: sleep 1000", ended.stderr)

    def test_children_of_a_hang_are_ended_too(self):
        ended = run("0.5", "sh", "-c", "sleep 1000 & echo $!; wait")
        self.assertEqual(ended.returncode, 124)
        child = pathlib.Path(f"/proc/{ended.stdout.strip()}/exe")
        for _ in range(200):  # the kernel ends it in its own time
            if not child.exists():
                return
            time.sleep(0.05)
        self.fail(f"{child} still runs")

    @unittest.skipIf(shutil.which("gdb") is None, "gdb is not installed")
    def test_a_hang_shows_stacks_or_says_why_not(self):
        self.assertRegex(run("0.5", "sleep", "1000").stderr, r"#0|with_timeout: gdb showed no stacks")


if __name__ == "__main__":
    unittest.main()
