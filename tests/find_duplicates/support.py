"""What the tests of find_duplicates share: running it, and building trees."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("FIND_DUPLICATES", "find_duplicates")
TIMEOUT = 120  # seconds; nothing here takes more than a few, except on a machine in trouble
NOBODY = 65534


class Run:
    """One finished run of the program."""

    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def report(self):
        return json.loads(self.out.decode("utf-8"))  # both strict: bad UTF-8 or bad JSON is a failure

    @property
    def groups(self):
        """The groups as a set of frozensets of exact paths (bytes)."""
        return {frozenset(exact_paths(group)) for group in self.report["groups"]}

    @property
    def errors(self):
        return {error["path"]: error["reason"] for error in self.report["errors"]}

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[:2000]!r}\nstderr: {self.err[:2000]!r}"


def exact_paths(group):
    raw = group.get("raw", {})
    return [
        base64.b64decode(raw[str(i)]) if str(i) in raw else path.encode("utf-8")
        for i, path in enumerate(group["files"])
    ]


def run(*arguments, env=None, **options):
    options.setdefault("stdout", subprocess.PIPE)
    environment = dict(os.environ, **(env or {}))
    process = subprocess.run(
        [PROGRAM, *arguments],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT,
        env=environment,
        check=False,
        **options,
    )
    return Run(process)


class TreeTest(unittest.TestCase):
    """A test with an empty directory of its own, `self.root`."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="find_duplicates_test_")
        os.chmod(self.root, 0o755)
        self.addCleanup(self._remove)

    def _remove(self):
        for directory, _, _ in os.walk(self.root):
            os.chmod(directory, 0o755)
        shutil.rmtree(self.root)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def write(self, name, content):
        """Makes a file, and the directories on the way; `name` may be bytes. Returns its path as bytes."""
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def sparse(self, name, size):
        path = self.write(name, b"")
        os.truncate(path, size)
        return path

    def names(self, result):
        """The groups of a run as a set of frozensets of paths relative to the root (text)."""
        prefix = os.fsencode(self.root) + b"/"
        return {
            frozenset(os.fsdecode(path.removeprefix(prefix)) for path in group) for group in result.groups
        }

    def check(self, *arguments, groups, code=0, **options):
        """Runs with --json over the root and compares groups (an iterable of iterables of names) and the exit code."""
        result = run("--json", *arguments, self.root, **options)
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.names(result), {frozenset(group) for group in groups}, result)
        return result

    def as_nobody(self):
        """Options for run() that make it run without privileges. Skips the test where that is impossible."""
        if os.geteuid() != 0:
            return {}
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        try:
            subprocess.run([PROGRAM, "--version"], stdout=subprocess.DEVNULL, check=True, **options)
        except (OSError, subprocess.CalledProcessError):
            self.skipTest(f"an unprivileged user cannot start {PROGRAM}")
        return options
