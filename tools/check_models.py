#!/usr/bin/env python3
"""Checks the protocol of the sleeping workers with the model checker spin: tests/model/idle.pml says what is shown, and how.

usage: check_models.py [--jobs N] [WORD...]     exit status 1 when a property breaks, or a planted fault is not found

Searches every configuration exhaustively. Then plants every fault that the model knows into the configuration that must find
it. WORD: only configurations and faults whose names contain one of the words. The trail of an unexpected error is printed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

MODEL = pathlib.Path(__file__).resolve().parent.parent / "tests" / "model"
MEMORY_MB = 2000
MOST_STEPS = 20000  # of one interleaving; a longer one is an error
FEW_STEPS = 250  # enough for most faults, and a smaller search
SECONDS = 900  # for one search on a slow machine


def items(*numbers):
    """The set of these items, as the model wants it. Its `child_of` and `timer_item` say which numbers items have."""
    return sum(1 << number for number in numbers)


THREE = "WORKERS=3 SMALL_PARKER ASLEEP"

CONFIGURATIONS = {
    "1 worker": f"WORKERS=1 POSTERS=2 POSTS=1 SPAWN={items(1)} SPURIOUS=1",
    "1 worker, timers": f"WORKERS=1 POSTS=2 ARM_LATE={items(1)} ARM_EARLY={items(2)} SPURIOUS=1",
    "1 worker waits for another pool": f"WORKERS=1 POSTS=2 WAIT={items(1)} REMOTE SPURIOUS=1 DRAIN",
    "2 workers, 2 posts": f"POSTS=2 LONG={items(1)} IN_TURN SPURIOUS=1",
    "2 workers, 3 posts": f"POSTS=3 LONG={items(1)} IN_TURN",
    "2 workers, 2 posters": f"POSTERS=2 POSTS=1 LONG={items(1)}",
    "2 workers push": f"POSTS=2 SPAWN={items(1)} LONG={items(1)} OWN=2 SPURIOUS=1",
    "2 workers, all push": f"POSTS=2 SPAWN={items(1, 2)} LONG={items(1)} IN_TURN",
    "2 workers, one waits": f"POSTS=2 SPAWN={items(1)} WAIT={items(1)} LONG={items(2)} SPURIOUS=1",
    "2 workers, one waits for another pool": f"POSTS=2 WAIT={items(1)} REMOTE ASLEEP SPURIOUS=1",
    "2 workers, 1 timer": f"POSTS=1 LONG={items(1)} ARM_LATE={items(1)} SPURIOUS=1",
    "2 workers, 2 timers": f"POSTS=1 ARM_LATE={items(1)} ARM_EARLY={items(1)}",
    "2 workers, long timers": f"POSTS=1 LONG={items(9)} ARM_LATE={items(1)} ARM_EARLY={items(1)} SMALL_PARKER",
    "2 workers end": "POSTS=2 DRAIN",
    "2 workers end, one waits": f"POSTS=1 SPAWN={items(1)} WAIT={items(1)} DRAIN",
    "2 workers end, one waits for another pool": f"POSTS=1 WAIT={items(1)} REMOTE DRAIN SMALL_PARKER",
    "2 workers end, input and output": "POSTERS=0 IO DRAIN",
    "2 workers end, timer not due": f"POSTS=1 ARM_EARLY={items(1)} FROZEN DRAIN SMALL_PARKER",
    "2 workers end, timer due": f"POSTS=1 ARM_EARLY={items(1)} DRAIN ASLEEP SMALL_PARKER",
    "2 workers, completions": f"POSTS=1 RING LONG={items(11)}",
    "2 workers end, completions": "POSTERS=0 RING DRAIN",
    "2 workers, priorities": f"POSTS=2 LEVEL={items(2)} LONG={items(1)} SPURIOUS=1",
    "2 workers, priorities only": f"POSTS=2 LEVEL={items(1, 2)} LONG={items(1)}",
    "2 workers end, priorities": f"POSTS=2 LEVEL={items(2)} DRAIN",
    "3 workers, priorities": f"{THREE} POSTS=2 LEVEL={items(2)} LONG={items(1, 2)}",
    "2 workers, broadcast": f"POSTS=1 BROADCAST LONG={items(13)} SMALL_PARKER",
    "2 workers, broadcast, one waits": f"POSTS=1 SPAWN={items(1)} WAIT={items(1)} BROADCAST SMALL_PARKER",
    "2 workers end, broadcast": "POSTS=1 BROADCAST DRAIN SMALL_PARKER",
    "2 workers come to rest after a broadcast": "POSTERS=0 BROADCAST ASLEEP LIVE",
    "2 workers come to rest": "POSTS=1 SPURIOUS=1 LIVE",
    "2 workers come to rest after a timer": f"POSTS=1 ARM_EARLY={items(1)} ASLEEP LIVE",
    "2 workers come to their end": "POSTS=1 SMALL_PARKER DRAIN LIVE",
    "3 workers, busy at first": "WORKERS=3 POSTS=1 SMALL_PARKER",
    "3 workers, 3 posts": f"{THREE} POSTS=3 LONG={items(1, 2)}",
    "3 workers, 2 posters": f"{THREE} POSTERS=2 POSTS=1 LONG={items(1)}",
    "3 workers, real parker": f"WORKERS=3 ASLEEP POSTS=2 LONG={items(1, 2)} SPURIOUS=1",
    "3 workers push": f"{THREE} POSTS=1 SPAWN={items(1)} LONG={items(1, 5)} OWN=2 SPURIOUS=1",
    "3 workers, 2 timers": f"{THREE} POSTS=1 LONG={items(1)} ARM_LATE={items(1)} ARM_EARLY={items(1)}",
    "3 workers, timer and work": f"{THREE} POSTS=2 LONG={items(1, 2)} ARM_EARLY={items(1)}",
    "3 workers, broadcast": f"{THREE} POSTERS=0 BROADCAST",
    "3 workers end": f"{THREE} POSTS=1 DRAIN",
}

# Fault: the configuration that must find it.
FAULTS = {
    "unpark_is_not_remembered": "2 workers, 2 posts",
    "park_overwrites": "2 workers, 2 posts",
    "futex_does_not_compare": "2 workers, 2 posts",
    "notification_is_not_used_up": "2 workers come to rest",
    "no_recheck": "2 workers, 2 posts",
    "recheck_before_announce": "2 workers, 2 posts",
    "no_look_again": "2 workers, 2 posts",
    "last_searcher_is_not_known": "2 workers, 2 posts",
    "what_was_moved_is_not_told": "2 workers, 2 posts",
    "woken_is_not_counted": "2 workers, 2 posts",
    "retract_does_not_count": "2 workers, 2 posts",
    "retract_counts_always": "2 workers, 2 posts",
    "levels_are_not_looked_at": "2 workers, priorities",
    "awaited_end_is_not_told": "2 workers, one waits",
    "what_was_collected_is_not_told": "2 workers, completions",
    "deadline_is_not_told": "2 workers, 1 timer",
    "deadline_is_published_late": "2 workers, 1 timer",
    "deadline_is_read_before_the_lock": "2 workers, 1 timer",
    "office_is_kept": "3 workers, timer and work",
    "time_is_not_kept": "3 workers, timer and work",
    "draining_is_not_told": "2 workers end",
    "end_is_not_told": "2 workers end",
    "end_without_a_look": "2 workers end",
    "end_is_decided_unlocked": "2 workers end",
    "timers_may_be_open": "2 workers end, timer not due",
    "operation_ends_early": "2 workers end, input and output",
    "quiet_is_not_told": "2 workers end, input and output",
    "nested_wait_is_not_counted": "2 workers end, one waits",
    "visitors_are_not_counted": "2 workers end",
    "linked_before_the_look": "2 workers end",
    "broadcast_is_not_told": "2 workers, broadcast",
    "recheck_overlooks_the_share": "2 workers, broadcast",
    "end_overlooks_shares": "2 workers end, broadcast",
    "broadcast_is_no_visit": "2 workers end, broadcast",
    "awaited_end_is_no_visit": "1 worker waits for another pool",
}


class CannotRun(Exception):
    pass


def run(command, place):
    done = subprocess.run(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=SECONDS, check=False)
    return done.returncode, done.stdout


# Models of their own: file, defines, and defines when a fault is planted (some need more to show, and are found before
# all has been searched). Their faults stand in the head of the file, a line each.
OTHERS = {
    "more workers for a while": ("growth.pml", "", ""),
    "a busy worker's ring": ("busy_ring.pml", "", ""),
    "forked jobs": ("fork_deque.pml", "PUSHES=2", "PUSHES=3"),
    "forked jobs and 2 sleepers": ("fork_sleep.pml", "WORKERS=2", "WORKERS=2"),
}


def faults_in(file):
    return re.findall(r"^ \*   ([A-Z_]+) ", (MODEL / file).read_text(encoding="utf-8"), re.MULTILINE)


def build(place, model, defines, optimisation):
    kind = ["-DNP"] if "-DLIVE" in defines else ["-DSAFETY", "-DNOFAIR"]
    for file in MODEL.glob("*.pml"):
        (place / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    compiler = os.environ.get("CC", "cc").split()
    for command in (["spin", "-a", *defines, model],
                    [*compiler, optimisation, "-w", *kind, "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MB}", "-o", "pan", "pan.c"]):
        status, output = run(command, place)
        if status != 0 or "rror:" in output:
            raise CannotRun(output)


def search(place, defines, steps):
    """(error or "", number of states); the error's trail lies in the place."""
    kind = ["-l", "-f"] if "-DLIVE" in defines else []  # non-progress cycles, under weak fairness
    status, output = run(["./pan", "-n", f"-m{steps}", *kind], place)
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    first = re.search(r"^pan:1: (.*)$", output, re.MULTILINE)
    if status != 0 or errors is None or states is None:
        raise CannotRun(output)
    if first is not None:
        return re.sub(r" +[(!].*", "", first[1]), int(states[1])
    if "not completed" in output or errors[1] != "0" or steps == MOST_STEPS and "too small" in output:
        raise CannotRun(output)
    return "", int(states[1])


def trail(place, model, defines):
    """The interleaving that led to the error: a step a line."""
    _, output = run(["spin", "-t", "-p", "-g", *defines, model], place)
    way, _, end = output.partition("spin: trail ends")
    steps = []
    for line in way.splitlines():
        step = re.match(r"\s*(\d+):\s*proc\s+(\d+) \((\S+?):.*?\) (\S+) \(state \d+\)\s*(.*)", line)
        if step is None:
            if "START OF CYCLE" in line:
                steps.append(line)
        elif "else" not in step[5] and "break" not in step[5] and "goto" not in step[5]:
            steps.append(f"{step[1]:>5} {step[3]} {step[2]:<3} {step[4]:<18} {step[5]}")
    return "\n".join(steps) + f"\nstate{end.rstrip()}"


def check(configuration, fault=""):
    """(as it should be, the lines to print)"""
    model, words, words_with_fault = OTHERS.get(configuration) or ("idle.pml", *2 * [CONFIGURATIONS[configuration]])
    defines = [f"-D{each}" for each in (words_with_fault if fault else words).split()]
    if fault:
        defines.append(f"-D{fault}" if configuration in OTHERS else f"-DFAULT_{fault}")
    name = f"fault {fault} in {configuration}" if fault else configuration
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="coex-model-") as folder:
        place = pathlib.Path(folder)
        try:
            build(place, model, defines, "-O0" if fault else "-O1")
            error, states = search(place, defines, FEW_STEPS) if fault else ("", 0)
            if not error:
                error, states = search(place, defines, MOST_STEPS)
        except (CannotRun, OSError, subprocess.TimeoutExpired) as problem:
            return False, f"FAILED {name}: the search did not come to its end: {problem}"
        figures = f"{states} states, {time.monotonic() - start:.1f} s"
        if fault:
            if error:
                return True, f"ok {name}: found ({error}), {figures}"
            return False, f"MISSED {name}: no error in {figures}; either the step is not needed, or the model is too coarse"
        if error:
            return False, f"FAILED {name}: {error}, {figures}; defines: {' '.join(defines)}\n{trail(place, model, defines)}"
        return True, f"ok {name}: {figures}"


def undeclared():
    """Faults that only the model or only this file knows."""
    in_model = set()
    for file in MODEL.glob("*.pml"):
        in_model |= set(re.findall(r"\bFAULT_([a-z]\w*)", file.read_text(encoding="utf-8")))
    return in_model ^ set(FAULTS)


def main():
    parser = argparse.ArgumentParser(usage="check_models.py [--jobs N] [WORD...]")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    wanted = [(name, "") for name in CONFIGURATIONS] + [(name, fault) for fault, name in FAULTS.items()]
    for name, (model, _, _) in OTHERS.items():
        wanted += [(name, "")] + [(name, fault) for fault in faults_in(model)]
    if options.words:
        wanted = [each for each in wanted if any(word in (each[1] or each[0]) for word in options.words)]
    failed = 0
    for fault in sorted(undeclared()):
        failed += 1
        print(f"FAILED fault {fault}: known to the model or to check_models.py, but not to both")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for good, text in pool.map(lambda each: check(*each), wanted):
            failed += not good
            print(text, flush=True)
    print(f"models: {len(wanted)} searches, {failed} failed")
    sys.exit(1 if failed or not wanted else 0)


if __name__ == "__main__":
    main()
