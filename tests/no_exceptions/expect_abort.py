#!/usr/bin/env python3
"""usage: expect_abort.py PROGRAM     it must abort, and say what failed, on what, and what to do"""
import signal
import subprocess
import sys

ended = subprocess.run([sys.argv[1]], stderr=subprocess.PIPE, text=True, timeout=100)
wanted = ["coex: open_file '/nonexistent/file': No such file or directory", "as_result()"]
missing = [text for text in wanted if text not in ended.stderr]
if ended.returncode != -signal.SIGABRT or missing:
    sys.exit(f"exit code {ended.returncode}, wanted {-signal.SIGABRT}; missing: {missing}; stderr:\n{ended.stderr}")
