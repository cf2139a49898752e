# SPDX-License-Identifier: Apache-2.0
"""From `apt install` to `apt purge`, as somebody does it for the first time."""

import shlex
import time

from setting import EXPOSURE_MAX_TENTHS, GREEDY, PACKAGES_IN_ROOT, UNITS, check_stream, give_demo

# Files that no package owns; what the system itself writes while it runs is not looked at.
LIST_FILES = r"""
find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log \
  -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /srv \
  -o -path /mnt -o -path /home \) -prune -o -print | sort >/run/found
cat /var/lib/dpkg/info/*.list | sort -u >/run/owned
comm -23 /run/found /run/owned | sed 's|^/usr/\(bin\|sbin\|lib\|lib64\)/|/\1/|' | sort -u >/run/left
sed 's|^/usr/\(bin\|sbin\|lib\|lib64\)/|/\1/|' /run/owned | sort -u >/run/owned-merged
comm -23 /run/left /run/owned-merged
"""


def run(setting, suite, checks):
    with setting.bare(suite) as system:
        before = system.shell(LIST_FILES).out
        start = time.monotonic()
        installed = system.shell(f"apt-get install -y --no-install-recommends {PACKAGES_IN_ROOT}/*.deb", timeout=400)
        checks.expect("apt install ./*.deb", installed.code == 0, installed.text)
        checks.figure("apt install", f"{time.monotonic() - start:.1f} s")
        without_a_model(system, checks)
        first_model(system, checks, start)
        who_may(system, checks)
        units(system, checks)
        remove(system, checks, before)


def without_a_model(system, checks):
    enabled = system.run("systemctl", "is-enabled", "edgemoed", "edgemoe-download.socket")
    checks.expect("the service and the socket of downloads are enabled", enabled.out.split() == ["enabled"] * 2,
                  enabled.text)
    checks.expect("the service runs without a model", system.is_active(),
                  system.run("systemctl", "status", "edgemoed").text + system.journal())
    checks.contains("systemctl status says that there is none", system.unit("edgemoed", "StatusText"),
                    "without a model")
    chat = system.run("edgemoe", "chat", "--message", "hello")
    checks.expect("edgemoe chat fails without a model", chat.code not in (0, 130), chat.text)
    checks.contains("edgemoe chat says what to do", chat.text, "model", "edgemoe setup")
    listed = system.run("edgemoe", "models")
    checks.expect("edgemoe models lists none and succeeds", listed.code == 0, listed.text)


def first_model(system, checks, start):
    pid = system.unit("edgemoed", "MainPID")
    system.must("usermod", "-aG", "edgemoe", "alice")
    give_demo(system)
    reload = system.run("systemctl", "reload", "edgemoed")
    checks.expect("systemctl reload with a first model", reload.code == 0, reload.text)
    first = system.shell("edgemoe --wait 60 complete -t 0 --ignore-end -n 1 Once", user="alice", timeout=90)
    checks.expect("a first token comes", first.code == 0, first.text + system.journal())
    checks.figure("from apt install to the first token", f"{time.monotonic() - start:.1f} s")
    checks.expect("the reload loaded the model without a new process", system.unit("edgemoed", "MainPID") == pid,
                  system.journal())
    checks.contains("systemctl status names the model", system.unit("edgemoed", "StatusText"), "erving demo")


def who_may(system, checks):
    check_stream(checks, "a member of the group streams", system.run("edgemoe", *GREEDY, user="alice"))
    refused = system.run("edgemoe", *GREEDY, user="bob")
    checks.expect("somebody else is refused with 77", refused.code == 77, f"status {refused.code}\n{refused.text}")
    checks.contains("and is told the reason", refused.err, "group", "edgemoe")
    resize = system.run("edgemoe", "resize", "auto", user="alice")
    checks.expect("a member who is no administrator may not resize", resize.code == 77, resize.text)


def units(system, checks):
    verified = system.run("systemd-analyze", "verify", "--man=no", *UNITS)
    checks.expect("systemd-analyze verify finds nothing", verified.code == 0 and not verified.text.strip(),
                  verified.text)
    for unit in ("edgemoed.service", "edgemoed@other.service", "edgemoe-download@1.service"):
        scored = system.run("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE_MAX_TENTHS}", unit)
        line = next((line for line in scored.out.splitlines() if "Overall exposure" in line), "no score")
        checks.expect(f"systemd-analyze security {unit} is at most {EXPOSURE_MAX_TENTHS / 10}", scored.code == 0, line)
        checks.figure(unit, line.strip("→ "))


def remove(system, checks, before):
    removed = system.run("apt-get", "remove", "-y", "edgemoed", "edgemoe", timeout=200)
    checks.expect("apt remove", removed.code == 0, removed.text)
    checks.expect("the daemon has stopped", system.run("pgrep", "-x", "edgemoed").code != 0)
    kept = system.shell("ls /etc/edgemoe/edgemoed.d/50-model.json /var/lib/edgemoe/models/demo.gguf")
    checks.expect("configuration and models stay", kept.code == 0, kept.text)
    purged = system.run("apt-get", "purge", "-y", "edgemoed", "edgemoe", timeout=200)
    checks.expect("apt purge", purged.code == 0, purged.text)
    after = system.shell(LIST_FILES).out
    left = sorted(set(after.splitlines()) - set(before.splitlines()))
    ours = [path for path in left if "edgemoe" in path]
    checks.expect("purge leaves no file of ours", not ours, "\n".join(ours))
    checks.figure("files that no package owns, and were not there before", shlex.join(left) or "none")
    units_left = system.run("systemctl", "list-units", "--all", "--no-legend", "edgemoe*").out
    checks.expect("purge leaves no unit", not units_left.strip(), units_left)
