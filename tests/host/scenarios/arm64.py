# SPDX-License-Identifier: Apache-2.0
"""The packages for 64-bit ARM in a Debian of that architecture, whose programs an emulator runs."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from checks import Unavailable
from host import Result
from roots import in_root, is_native, native_arch
from setting import DEMO, GREEDY, check_stream

EMULATOR = "/usr/bin/qemu-aarch64-static"
MAGIC = (r"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
         r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff")
PROCESSORS = {"cortex-a72": "a Raspberry Pi 4", "cortex-a76": "a Raspberry Pi 5", "max": "all that the emulator knows"}
# Without systemd in the folder; the daemon is the unit's user.
SESSION = """
setpriv --reuid edgemoe --regid edgemoe --init-groups edgemoed --config /etc/edgemoe/edgemoed.json \
  --model /srv/demo.gguf --socket /tmp/host.sock --log-target stderr 2>/tmp/log &
daemon=$!
edgemoe -s /tmp/host.sock --wait 200 "$@"
code=$?
kill $daemon
wait $daemon
stopped=$?
[ $code = 0 ] && [ $stopped = 0 ] || cat /tmp/log >&2
exit $((code + stopped))
"""


def run(setting, suite, checks):
    with emulated():
        wrong_architecture(setting, suite, checks)
        lowers = setting.roots.with_packages(suite, "arm64", setting.packages(suite, "arm64"))
        checks.expect("the packages for arm64 are installed", True)
        with setting.roots.layered(lowers) as root:
            (root / "srv/demo.gguf").write_bytes((setting.tree / DEMO).read_bytes())
            for processor, machine in PROCESSORS.items():
                words = in_root(root, "sh", "-c", SESSION, "session", *GREEDY, environment=[f"QEMU_CPU={processor}"])
                done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400,
                                      check=False)
                check_stream(checks, f"the same text as on amd64, as {processor} ({machine})",
                             Result(done.returncode, done.stdout, done.stderr))


def wrong_architecture(setting, suite, checks):
    """A package of this machine's architecture in the foreign root."""
    files = setting.packages(suite)
    with setting.roots.layered([setting.roots.base(suite, "arm64")]) as root:
        for file in files:
            shutil.copy(file, root / "srv")
        words = in_root(root, "sh", "-c", "dpkg --install /srv/edgemoed_*.deb")
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200, check=False)
        checks.expect("a package of another architecture is refused", done.returncode != 0, done.stdout)
        checks.contains("in clear words", done.stderr, f"package architecture ({native_arch()}) does not match system")


@contextlib.contextmanager
def emulated():
    """While it lasts, this kernel runs programs of arm64 by the emulator."""
    if is_native("arm64"):
        yield
        return
    if not pathlib.Path(EMULATOR).exists():
        raise Unavailable(f"there is no {EMULATOR}: apt-get install qemu-user-static")
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", folder], capture_output=True, text=True,
                                 check=False)
        if mounted.returncode != 0:
            raise Unavailable(f"no emulator can be registered: {mounted.stderr.strip()}")
        name = f"edgemoe-host-{os.getpid()}"
        entry = pathlib.Path(folder) / name
        try:
            # C: with the rights of the program, O and F: the emulator is opened now, outside of the root.
            (pathlib.Path(folder) / "register").write_text(f":{name}:M::{MAGIC[0]}:{MAGIC[1]}:{EMULATOR}:OCF",
                                                           encoding="ascii")
            yield
        finally:
            if entry.exists():
                entry.write_text("-1", encoding="ascii")
            subprocess.run(["umount", "-l", folder], check=False)
