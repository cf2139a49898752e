# SPDX-License-Identifier: Apache-2.0
"""All scenarios by their names, in the order of a whole run."""

import dataclasses
from collections.abc import Callable

from scenarios import activation, faults, install, upgrade

BOTH = ("bookworm", "trixie")


@dataclasses.dataclass
class Scenario:
    run: Callable  # (setting, suite, checks)
    suites: tuple = ()


SCENARIOS = {
    "install": Scenario(install.run, BOTH),
    "faults": Scenario(faults.run, BOTH),
    "activation": Scenario(activation.run, BOTH),
    "upgrade": Scenario(upgrade.run, BOTH),
}
