#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much longer another program's writes take while a daemon streams experts from the same disk.

    bench/neighbour.py MODEL FOLDER [--budget 24MiB] [--rounds 5] [--commits 300]

An SQLite writer in FOLDER, which lies on the disk of MODEL, commits small rows with an fsync each: alone and beside a
decode under the budget, in turn. Prints the 50th and 99th percentile of a commit in milliseconds, by round, and their
ratios. Wants the programs of ./dev build.
"""

import argparse
import contextlib
import pathlib
import sqlite3
import subprocess
import tempfile
import threading
import time

BUILD = pathlib.Path(__file__).resolve().parent.parent / "build"


def commit_times(folder, count):
    path = pathlib.Path(folder) / "neighbour.sqlite"
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
        times = []
        for i in range(count):
            begin = time.perf_counter()
            database.execute("INSERT INTO t VALUES (?, ?)", (i, "x" * 200))
            times.append(time.perf_counter() - begin)
    path.unlink()
    return sorted(times)


@contextlib.contextmanager
def streaming(socket):
    """Answers one after another, for a context is soon full."""
    ends = threading.Event()
    begun = threading.Event()

    def stream():
        while not ends.is_set():
            with subprocess.Popen([BUILD / "client/edgemoe", "-s", socket, "complete", "-n", "400", "--ignore-end",
                                   "-t", "1", "Once upon a time"], stdout=subprocess.PIPE) as client:
                client.stdout.read(1)  # it writes
                begun.set()
                client.stdout.read()

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        begun.wait(timeout=60)
        yield
    finally:
        ends.set()
        thread.join(timeout=60)


def percentile(times, share):
    return 1000 * times[min(len(times) - 1, int(share * len(times)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--budget", default="24MiB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commits", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        socket = scratch + "/s.sock"
        # As its unit runs it: the lowest of ordinary priorities for reads.
        daemon = subprocess.Popen(["ionice", "-c", "2", "-n", "7", BUILD / "server/edgemoed", "--config=", "--model",
                                   options.model, "--memory-budget", options.budget, "--context-tokens", "512",
                                   "--socket", socket, "--log-level", "error"])
        try:
            subprocess.run([BUILD / "client/edgemoe", "-s", socket, "--wait", "120", "tokenize", "."], check=True,
                           stdout=subprocess.DEVNULL)
            ratios = []
            for number in range(options.rounds):
                alone = commit_times(options.folder, options.commits)
                with streaming(socket):
                    beside = commit_times(options.folder, options.commits)
                ratios.append(percentile(beside, 0.99) / percentile(alone, 0.99))
                print(f"round {number + 1}: alone {percentile(alone, 0.5):.2f} {percentile(alone, 0.99):.2f}, "
                      f"beside {percentile(beside, 0.5):.2f} {percentile(beside, 0.99):.2f}, "
                      f"99th {ratios[-1]:.2f} times", flush=True)
            print(f"median of {options.rounds}: {sorted(ratios)[len(ratios) // 2]:.2f} times")
        finally:
            daemon.terminate()
            daemon.wait(timeout=120)


if __name__ == "__main__":
    main()
