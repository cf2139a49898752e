# SPDX-License-Identifier: Apache-2.0
"""What needs no packages and no network: the units, and the daemon that was built here, in a copy of this very system.

The copy is a layer in memory above this machine's root; what this machine's own services are, does not start there.
"""

import os
import pathlib
import subprocess

from booted import Booted
from checks import Unavailable
from setting import DEMO, EXPOSURE_MAX_TENTHS, GREEDY, INSTALLED_DEMO, SERVICES, UNITS, check_stream, give_demo

NOT_OURS = r"""
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires etc/rc?.d etc/fstab etc/edgemoe var/lib/edgemoe
ln -sfn /lib/systemd/system/multi-user.target etc/systemd/system/default.target
"""
MEMBER = ["runuser", "-u", "nobody", "-g", "nogroup", "-G", "edgemoe", "--"]


def run(setting, _, checks):
    if not pathlib.Path("/lib/systemd/systemd").exists():
        raise Unavailable("there is no systemd here")
    with setting.roots.copy_of_this_system() as root:
        subprocess.run(["sh", "-ec", NOT_OURS], cwd=root, check=True)
        installed = subprocess.run(["cmake", "--install", str(setting.build), "--prefix", "/usr"], capture_output=True,
                                   text=True, env=dict(os.environ, DESTDIR=str(root)), check=False)
        if not checks.expect("cmake --install", installed.returncode == 0, installed.stdout + installed.stderr):
            return
        (root / "srv/demo.gguf").write_bytes((setting.tree / DEMO).read_bytes())
        static(root, checks)
        with Booted(root, network=False) as system:
            in_system(system, checks)


def static(root, checks):
    for unit in SERVICES:
        path = root / "usr/lib/systemd/system" / unit
        scored = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=true",
                                 f"--threshold={EXPOSURE_MAX_TENTHS}", str(path)], capture_output=True, text=True,
                                check=False)
        line = next((line for line in scored.stdout.splitlines() if "Overall exposure" in line), scored.stderr)
        checks.expect(f"systemd-analyze security {unit} is at most {EXPOSURE_MAX_TENTHS / 10}", scored.returncode == 0,
                      line)


def in_system(system, checks):
    system.must("systemd-sysusers")
    system.must("systemctl", "daemon-reload")
    verified = system.run("systemd-analyze", "verify", "--man=no", *UNITS)
    # Of units of the machine itself it may say what it likes.
    lines = [line for line in verified.text.splitlines() if "edgemoe" in line]
    checks.expect("systemd-analyze verify finds nothing", not lines, "\n".join(lines))
    started = system.run("systemctl", "start", "edgemoed", timeout=100)
    checks.expect("the service starts without a model", started.code == 0, started.text + system.journal())
    give_demo(system, INSTALLED_DEMO)
    reload = system.run("systemctl", "reload", "edgemoed", timeout=100)
    checks.expect("systemctl reload with a first model", reload.code == 0, reload.text + system.journal())
    check_stream(checks, "a member of the group streams", system.run(*MEMBER, "edgemoe", "--wait", "60", *GREEDY,
                                                                    timeout=90))
    refused = system.run("edgemoe", "models", user="nobody")
    checks.expect("somebody else is refused with 77", refused.code == 77, f"{refused.code}\n{refused.text}")
    stopped = system.run("systemctl", "stop", "edgemoed", timeout=100)
    checks.expect("it stops", stopped.code == 0 and system.unit("edgemoed", "Result") == "success", system.journal())
