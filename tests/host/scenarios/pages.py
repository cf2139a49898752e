# SPDX-License-Identifier: Apache-2.0
"""A virtual arm64 machine with pages of 16 KiB, which is the default kernel's page of a Raspberry Pi 5."""

from scenarios.arm64 import emulated
from scenarios.machine import disk_with_daemon
from setting import GREEDY, check_stream
from virtual import VirtualMachine

KERNEL = ["linux-image-arm64-16k", "initramfs-tools"]


def run(setting, suite, checks):
    with emulated(), disk_with_daemon(setting, suite, "arm64", KERNEL) as disk, VirtualMachine(disk) as machine:
        page = machine.must("getconf", "PAGESIZE").strip()
        checks.expect("pages have 16 KiB", page == "16384", page)
        check_stream(checks, "the daemon streams the same text as on amd64",
                     machine.run("edgemoe", "--wait", "200", *GREEDY, timeout=400))
        checks.figure("what serves", machine.journal().strip().splitlines()[-3:])
        restarted = machine.run("systemctl", "restart", "edgemoed", timeout=200)
        checks.expect("it stops, and starts with what it has kept", restarted.code == 0,
                      restarted.text + machine.journal())
        check_stream(checks, "and streams as before", machine.run("edgemoe", "--wait", "200", *GREEDY, timeout=400))
