#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios on hosts that are made for them; README.md beside this file tells what each needs."""

import argparse
import os
import pathlib
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from checks import Checks, Unavailable  # noqa: E402
from host import TimedOut  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from setting import Setting  # noqa: E402

SUITES = ("bookworm", "trixie")


def arguments():
    parser = argparse.ArgumentParser(prog="./dev hosts", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help="a scenario, or SCENARIO:SUITE; default: all. "
                        f"Scenarios: {', '.join(SCENARIOS)}; suites: {', '.join(SUITES)}")
    parser.add_argument("--cache", default=os.environ.get("EDGEMOE_HOSTS_CACHE", "build-hosts"),
                        help="folder of the roots and disks ($EDGEMOE_HOSTS_CACHE; default: %(default)s)")
    parser.add_argument("--packages", default=os.environ.get("EDGEMOE_HOSTS_PACKAGES", "build-deb"),
                        help="folder with SUITE-ARCH/*.deb, as ./dev deb leaves it ($EDGEMOE_HOSTS_PACKAGES; "
                        "default: %(default)s)")
    parser.add_argument("--build", default="build", help="build folder, for smoke (default: %(default)s)")
    return parser.parse_args()


def chosen(names):
    """Pairs of scenario and suite; a scenario that is the same everywhere has the suite None."""
    pairs = []
    for name in names or SCENARIOS:
        scenario, _, suite = name.partition(":")
        if scenario not in SCENARIOS:
            sys.exit(f"hosts: expected one of {', '.join(SCENARIOS)}, found {scenario}")
        suites = SCENARIOS[scenario].suites
        if suite and suite not in suites:
            sys.exit(f"hosts: {scenario}: expected a suite of {', '.join(suites) or 'none'}, found {suite}")
        pairs += [(scenario, one) for one in ([suite] if suite else suites or [None])]
    return pairs


def in_own_mounts():
    """Runs this program anew where its mounts are nobody else's and go with it."""
    if os.environ.get("EDGEMOE_HOSTS_MOUNTS") == str(os.getppid()):
        return
    if os.geteuid() != 0:
        sys.exit("hosts: expected to run as root, which alone may make roots and namespaces; found user "
                 f"{os.geteuid()}")
    probe = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], capture_output=True, text=True,
                           check=False)
    if probe.returncode != 0:
        print(f"!! SKIPPED: no host can be made here, nothing was checked: {probe.stderr.strip()}")
        sys.exit(0)
    environment = dict(os.environ, EDGEMOE_HOSTS_MOUNTS=str(os.getpid()))
    command = ["unshare", "--mount", "--propagation", "private", "--", sys.executable, *sys.argv]
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)


def run_one(name, suite, setting):
    checks = Checks(f"{name}:{suite}" if suite else name)
    print(f"== {checks.scenario}", flush=True)
    try:
        SCENARIOS[name].run(setting, suite, checks)
    except Unavailable as lacking:
        checks.skip("what is left of the scenario", lacking)
    except (TimedOut, RuntimeError, subprocess.SubprocessError, OSError) as error:
        where = traceback.extract_tb(error.__traceback__)
        line = next((f"{entry.name}:{entry.lineno}" for entry in reversed(where) if "scenarios" in entry.filename), "")
        checks.expect(f"the scenario runs to its end ({line})", False, error)
    return checks


def main():
    options = arguments()
    pairs = chosen(options.names)
    in_own_mounts()
    os.chdir(HERE.parent.parent)
    setting = Setting(options)
    start = time.monotonic()
    done = [run_one(name, suite, setting) for name, suite in pairs]
    passed = sum(checks.passed for checks in done)
    failed = [f"{checks.scenario}: {name}" for checks in done for name in checks.failed]
    skipped = [f"{checks.scenario}: {name}" for checks in done for name in checks.skipped]
    for title, names in (("SKIPPED", skipped), ("FAILED", failed)):
        if names:
            print(f"\n!! {len(names)} {title}:\n  " + "\n  ".join(names))
    print(f"\nhosts: {passed} checks passed, {len(failed)} failed, {len(skipped)} skipped "
          f"in {time.monotonic() - start:.0f} s")
    if passed == 0:
        print("hosts: nothing was checked")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
