# SPDX-License-Identifier: Apache-2.0
"""Named checks of one scenario: a line for each, and a count of what failed."""

import time


class Unavailable(Exception):
    """This machine cannot run the scenario; the text says what it lacks."""


class Checks:
    """Prints `ok` or `FAILED` for each check. A scenario goes on after a failure, so that one run shows all of them."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.start = time.monotonic()

    def expect(self, name, condition, detail=""):
        """`detail` is shown where the condition does not hold: what was found instead."""
        took = time.monotonic() - self.start
        if condition:
            self.passed += 1
            print(f"ok      {self.scenario}: {name}  [{took:.0f} s]", flush=True)
        else:
            self.failed.append(name)
            print(f"FAILED  {self.scenario}: {name}  [{took:.0f} s]", flush=True)
            for line in str(detail).strip().splitlines()[-25:]:
                print(f"        | {line}", flush=True)
        return bool(condition)

    def contains(self, name, text, *parts):
        missing = [part for part in parts if part not in text]
        return self.expect(name, not missing, f"not there: {missing}; found:\n{text.strip() or '(nothing)'}")

    def skip(self, name, why):
        self.skipped.append(name)
        print(f"SKIPPED {self.scenario}: {name}: {why}", flush=True)

    def figure(self, name, value):
        print(f"        {self.scenario}: {name}: {value}", flush=True)
