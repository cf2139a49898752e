# SPDX-License-Identifier: Apache-2.0
"""A root whose own systemd runs in namespaces of its own on this machine's kernel."""

import os
import pathlib
import subprocess

from checks import Unavailable
from host import Host, Result, TimedOut

HERE = pathlib.Path(__file__).resolve().parent
START_S = 60
STOP_S = 40
ENVIRONMENT = ["env", "-i", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]


class Booted(Host):
    """A context manager; the system is gone after it, whatever happened."""

    def __init__(self, root, network=True):
        self.root = root
        self.name = f"edgemoe-host-{os.getpid()}"
        self.network = network
        self.children = []

    def __enter__(self):
        words = [str(HERE / "boot_namespaces"), str(self.root), self.name]
        self.outer = subprocess.Popen(words + ([] if self.network else ["net"]), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.pid = None
        try:
            self.until(self._has_systemd, START_S)
            if self.pid is None:
                self.outer.kill()
                said = self.outer.stderr.read().strip().splitlines()
                raise Unavailable(f"systemd cannot be started in namespaces here: {said[-1] if said else 'no reason'}")
            if not self.until(self._is_up, START_S):
                raise Unavailable("systemd was started in namespaces, and does not come up here")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        if self.pid is not None and self.outer.poll() is None:
            try:
                self.run("systemctl", "poweroff", timeout=10)
                self.outer.wait(STOP_S)
            except (TimedOut, subprocess.TimeoutExpired):
                pass
        if self.outer.poll() is None:
            self.outer.kill()
        self.outer.wait()
        self.outer.stderr.close()
        self.until(self._groups_are_gone, 10)

    def _has_systemd(self):
        if self.outer.poll() is not None:
            return True
        try:
            children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
            if children and pathlib.Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n":
                self.pid = children[0]
        except OSError:
            pass
        return self.pid is not None

    # "degraded" is usual in namespaces: a unit of the base system wants a device.
    def _is_up(self):
        return self.run("systemctl", "is-system-running").out.strip() in ("running", "degraded")

    def _groups_are_gone(self):
        for top in pathlib.Path("/sys/fs/cgroup").glob(f"**/{self.name}"):
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    return False
        return True

    def _words(self, command):
        return ["nsenter", "-t", self.pid, "--all", *ENVIRONMENT, *command]

    def execute(self, command, timeout, stdin):
        try:
            done = subprocess.run(self._words(command), timeout=timeout, input=stdin if stdin is not None else "",
                                  capture_output=True, text=True, errors="replace", check=False)
        except subprocess.TimeoutExpired as expired:
            raise TimedOut(f"{' '.join(command)}: no end within {timeout} s") from expired
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *command, user=None):
        """In the background; its end is the caller's to wait for with `finish`."""
        if user is not None:
            command = ("runuser", "-u", user, "--", *command)
        child = subprocess.Popen(self._words(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, errors="replace")
        self.children.append(child)
        return child

    @staticmethod
    def finish(child, timeout):
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            child.kill()
            out, err = child.communicate()
            raise TimedOut(f"no end within {timeout} s: {out}{err}") from expired
        return Result(child.returncode, out, err)
