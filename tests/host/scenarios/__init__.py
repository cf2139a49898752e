# SPDX-License-Identifier: Apache-2.0
"""All scenarios by their names, in the order of a whole run."""

import dataclasses
from collections.abc import Callable

from scenarios import activation, arm64, faults, foreign_tests, install, machine, pages, smoke, upgrade

BOTH = ("bookworm", "trixie")


@dataclasses.dataclass
class Scenario:
    run: Callable  # (setting, suite, checks)
    suites: tuple = ()


SCENARIOS = {
    "smoke": Scenario(smoke.run),
    "install": Scenario(install.run, BOTH),
    "faults": Scenario(faults.run, BOTH),
    "activation": Scenario(activation.run, BOTH),
    "upgrade": Scenario(upgrade.run, BOTH),
    "arm64": Scenario(arm64.run, BOTH),
    "machine": Scenario(machine.run, BOTH),
    "pages": Scenario(pages.run, ("trixie",)),
    "tests": Scenario(foreign_tests.run, BOTH),
}
