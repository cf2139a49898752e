#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seccomp.json: what a container of the daemon may ask of the kernel. It is what systemd allows an ordinary
service, as in edgemoed.service, and io_uring, which the engines' own profiles refuse."""

import json
import subprocess

IO_URING = ["io_uring_enter", "io_uring_register", "io_uring_setup"]


def names_of(group):
    listing = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True, capture_output=True,
                             text=True).stdout
    names = set()
    for line in listing.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            names |= names_of(name)
        elif name and not name.startswith("#"):
            names.add(name)
    return names


def main():
    allowed = sorted(names_of("@system-service") | set(IO_URING))
    profile = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,  # EPERM: the daemon sees it and goes on without
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
        ],
        "syscalls": [{"names": allowed, "action": "SCMP_ACT_ALLOW"}],
    }
    print(json.dumps(profile, indent=2))


if __name__ == "__main__":
    main()
