# SPDX-License-Identifier: Apache-2.0
"""A Debian root as the disk of an emulated machine with a kernel of its own, whose power can be cut."""

import base64
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

from checks import Unavailable
from host import Host, Result, TimedOut

DISK_MIB = 2500
BOOT_S = 1200
CONNECT_S = 30
# no_timer_check: on a busy machine an emulated timer is late, which is no reason to give up.
KERNEL_WORDS = ("console={console} root=/dev/vda rw quiet loglevel=1 panic=-1 psi=1 no_timer_check "
                "systemd.show_status=0 systemd.mask=serial-getty@{console}.service")

# Reads a command from the console, runs it, and writes what came of it in one line, so that what else is written to
# the console does no harm.
AGENT = r"""#!/bin/sh
stty -echo -onlcr -ixon
echo "@@ready 0@@"
while read -r id line; do
  printf %s "$line" | base64 -d >/run/agent-command
  sh /run/agent-command >/run/agent-out 2>/run/agent-err </dev/null
  code=$?
  printf '\n@@%s %s %s|%s@@\n' "$id" "$code" "$(base64 -w0 /run/agent-out)" "$(base64 -w0 /run/agent-err)"
done
"""
UNIT = """[Unit]
Description=Runs what the test tells it
After=basic.target
[Service]
ExecStart=/srv/agent
StandardInput=tty-force
StandardOutput=tty
TTYPath=/dev/{console}
[Install]
WantedBy=multi-user.target
"""


def machine_words(arch, memory_mib):
    """The emulator of an architecture with its machine, and the name of its console."""
    if arch == "amd64":
        return ["qemu-system-x86_64", "-cpu", "Haswell", "-smp", "2", "-m", str(memory_mib)], "ttyS0"
    return ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a76", "-smp", "2", "-m", str(memory_mib)], "ttyAMA0"


class Disk:
    """A file with the root's files, a kernel and its first file system, in a folder of its own."""

    def __init__(self, root, arch, cache):
        self.emulator, self.console = machine_words(arch, 1536)
        if shutil.which(self.emulator[0]) is None:
            package = "qemu-system-x86" if arch == "amd64" else "qemu-system-arm"
            raise Unavailable(f"there is no {self.emulator[0]} here: apt-get install {package}")
        (root / "srv/agent").write_text(AGENT, encoding="utf-8")
        (root / "srv/agent").chmod(0o755)
        units = root / "etc/systemd/system"
        (units / "agent.service").write_text(UNIT.format(console=self.console), encoding="utf-8")
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        (units / "multi-user.target.wants/agent.service").symlink_to("../agent.service")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="disk-", dir=cache))
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(max((root / "boot").glob(f"{name}-*")), self.folder / name)
        self.image = self.folder / "root.img"
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(root), str(self.image), f"{DISK_MIB}M"],
                       check=True)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class VirtualMachine(Host):
    """A context manager: the machine is up in it. After it, or `cut_power`, its disk is as the moment left it."""

    def __init__(self, disk):
        self.disk = disk
        self.count = 0
        self.seen = ""

    def __enter__(self):
        path = self.disk.folder / "console.sock"
        path.unlink(missing_ok=True)
        command = [*self.disk.emulator, "-accel", "tcg,thread=multi", "-nographic", "-no-reboot", "-nic", "none",
                   "-kernel", str(self.disk.folder / "vmlinuz"), "-initrd", str(self.disk.folder / "initrd.img"),
                   "-append", KERNEL_WORDS.format(console=self.disk.console),
                   "-drive", f"if=none,file={self.disk.image},format=raw,id=disk,cache=none",
                   "-device", "virtio-blk-pci,drive=disk", "-monitor", "none",
                   "-serial", f"unix:{path},server=on,wait=on"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.console = socket.socket(socket.AF_UNIX)
        try:
            if not self.until(lambda: self._connects(path), CONNECT_S):
                self.process.kill()
                raise RuntimeError(f"the emulator does not start: {self.process.stderr.read().strip()}")
            self.console.settimeout(1)
            self._answer("ready", BOOT_S)
        except BaseException:
            self.cut_power()
            raise
        return self

    def __exit__(self, *_):
        self.cut_power()

    def cut_power(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.console.close()

    def _connects(self, path):
        if self.process.poll() is not None:
            return False
        try:
            self.console.connect(str(path))
            return True
        except OSError:
            return False

    def _answer(self, wanted, timeout):
        """The words that the agent gave after `wanted`."""
        end = time.monotonic() + timeout
        while True:
            found = re.search(rf"@@{wanted} (\d+) ?([^@]*)@@", self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return int(found.group(1)), found.group(2)
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimedOut(f"the machine says nothing within {timeout} s; its console ended with:\n"
                               + self.seen[-1500:])
            try:
                received = self.console.recv(65536)
            except TimeoutError:
                continue
            if not received:
                raise TimedOut("the machine has ended; its console said:\n" + self.seen[-1500:])
            self.seen += received.decode(errors="replace")

    def execute(self, command, timeout, stdin):
        script = shlex.join(command)
        if stdin is not None:
            script = f"printf %s {base64.b64encode(stdin.encode()).decode()} | base64 -d | {script}"
        self.count += 1
        line = f"{self.count} {base64.b64encode(script.encode()).decode()}\n"
        if len(line) > 4000:
            raise ValueError("a console takes lines of 4,000 bytes")
        self.console.sendall(line.encode())
        code, rest = self._answer(str(self.count), timeout)
        out, err = (base64.b64decode(part).decode(errors="replace") for part in rest.split("|"))
        return Result(code, out, err)

    def background(self, name, *command):
        """A command as a transient unit; `finish` waits for its end."""
        self.must("systemd-run", "--quiet", f"--unit={name}", "--property=RemainAfterExit=yes",
                  f"--property=StandardOutput=file:/run/{name}.out", f"--property=StandardError=file:/run/{name}.err",
                  *command)

    def has_finished(self, name):
        return self.unit(name, "SubState") not in ("running", "start")

    def finish(self, name, timeout):
        if not self.until(lambda: self.has_finished(name), timeout):
            raise TimedOut(f"{name}: no end within {timeout} s")
        return Result(int(self.unit(name, "ExecMainStatus")), self.run("cat", f"/run/{name}.out").out,
                      self.run("cat", f"/run/{name}.err").out)
