# SPDX-License-Identifier: Apache-2.0
"""A system under test: commands run in it, files are written in it, and it is waited for, never longer than told."""

import dataclasses
import shlex
import time

POLL_S = 0.2


class TimedOut(Exception):
    pass


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str = ""

    @property
    def text(self):
        return self.out + self.err


class Host:
    """What every kind of host can do, by its `execute`."""

    def execute(self, command, timeout, stdin):
        """Runs the words of `command` as root. Raises TimedOut after `timeout` seconds."""
        raise NotImplementedError

    def run(self, *command, user=None, timeout=60, stdin=None):
        if user is not None:
            command = ("runuser", "-u", user, "--", *command)
        return self.execute(command, timeout, stdin)

    def shell(self, line, **options):
        return self.run("sh", "-c", line, **options)

    def must(self, *command, **options):
        """For what only prepares a check."""
        result = self.run(*command, **options)
        if result.code != 0:
            raise RuntimeError(f"{shlex.join(command)} ended with {result.code}: {result.text.strip()}")
        return result.out

    def write(self, path, text):
        self.must("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "write", path, stdin=text)

    def until(self, condition, timeout):
        """Whether the condition came to hold within `timeout` seconds."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(POLL_S)
        return True

    # ---- systemd ----

    def unit(self, name, key):
        return self.run("systemctl", "show", "-P", key, name).out.strip()

    def is_active(self, name="edgemoed"):
        return self.unit(name, "ActiveState") == "active"

    def journal(self, name="edgemoed", since=None):
        """Lines of a unit, after the cursor that `journal_cursor` gave."""
        after = ["--after-cursor", since] if since else []
        return self.run("journalctl", "-q", "-o", "cat", "-u", name, *after).out

    def journal_cursor(self):
        shown = self.run("journalctl", "-q", "-n", "1", "--show-cursor", "-o", "cat").out
        return shown.rsplit("-- cursor: ", 1)[1].strip() if "-- cursor: " in shown else None

    def drop_in(self, text, unit="edgemoed.service", name="50-host.conf"):
        self.write(f"/etc/systemd/system/{unit}.d/{name}", text)
        self.must("systemctl", "daemon-reload")

    def remove_drop_in(self, unit="edgemoed.service", name="50-host.conf"):
        self.must("rm", "-f", f"/etc/systemd/system/{unit}.d/{name}")
        self.must("systemctl", "daemon-reload")
