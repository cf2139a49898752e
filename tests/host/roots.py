# SPDX-License-Identifier: Apache-2.0
"""Debian systems as folders: made once by debootstrap in the cache, and used through a layer that is thrown away.

The caller has a mount namespace of its own, with which all mounts of this file go.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from checks import Unavailable

DAYS_KEPT = 7  # package lists of an older root may name what the mirror no longer has
BASE = ["ca-certificates", "dbus", "libpam-systemd", "systemd", "systemd-sysv"]
MAKE_S = 1800
MEMORY_LAYER = "1G"
USERS = "for user in alice bob; do useradd --create-home --shell /bin/sh $user; done"
NO_DAEMONS = "/usr/sbin/policy-rc.d"


def is_native(arch):
    return arch == native_arch()


def native_arch():
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()


def mirror():
    sites = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)"], check=True, capture_output=True,
                           text=True).stdout.split()
    return next((site for site in sites if "security" not in site), "http://deb.debian.org/debian")


def run_quietly(command, log):
    """A long preparation; of its output only the end is shown, where it fails."""
    with open(log, "a", encoding="utf-8") as file:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, timeout=MAKE_S,
                              check=False)
    if done.returncode != 0:
        end = pathlib.Path(log).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-8:]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n" + "\n".join(end))


def in_root(root, *command, environment=()):
    """Words of a command that runs in the folder as if it were a machine, without its services."""
    script = ('root=$1; shift; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
              'exec chroot "$root" "$@"')
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-e", "-c", script, "in_root", str(root),
            "env", "-i", "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
            "DEBIAN_FRONTEND=noninteractive", *environment, *command]


def overlay(lowers, scratch):
    """The folders of `lowers`, the first on top, as one that may be written: scratch/merged."""
    upper, work, merged = (scratch / name for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        folder.mkdir()
    upper.chmod(0o755)
    options = f"lowerdir={':'.join(map(str, lowers))},upperdir={upper},workdir={work}"
    mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(merged)], capture_output=True,
                             text=True, check=False)
    if mounted.returncode != 0:
        raise Unavailable(f"no overlay can be mounted in {scratch.parent}: {mounted.stderr.strip()}")
    return merged


class Roots:
    def __init__(self, cache):
        self.cache = pathlib.Path(cache).resolve()
        self.cache.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.cache / "lock", "w", encoding="utf-8")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"hosts: another run uses {self.cache}; --cache names another folder")

    def base(self, suite, arch):
        root = self.cache / f"{suite}-{arch}"
        made = root.with_suffix(".made")
        if made.exists() and time.time() - made.stat().st_mtime < DAYS_KEPT * 24 * 3600:
            return root
        if shutil.which("debootstrap") is None:
            raise Unavailable("there is no debootstrap here")
        print(f"        making a root of {suite} for {arch} in {root}", flush=True)
        made.unlink(missing_ok=True)
        if root.exists():
            shutil.rmtree(root)
        log = self.cache / f"{suite}-{arch}.log"
        run_quietly(["debootstrap", f"--arch={arch}", "--variant=minbase", f"--include={','.join(BASE)}", suite,
                     str(root), mirror()], log)
        run_quietly(in_root(root, "apt-get", "update", "-q"), log)
        run_quietly(in_root(root, "sh", "-ec", USERS), log)
        made.touch()
        return root

    def with_packages(self, suite, arch, packages, foreign=None):
        """Folders for `layered`: the base, and above it these packages, files or names, installed once; `foreign`: an
        architecture that some of them are for."""
        base = self.base(suite, arch)
        key = hashlib.sha256(str(base.with_suffix(".made").stat().st_mtime_ns).encode())
        for package in packages:
            key.update(pathlib.Path(package).read_bytes() if "/" in str(package) else str(package).encode())
        layer = self.cache / f"{suite}-{arch}-{key.hexdigest()[:12]}"
        if not layer.exists():
            print(f"        installing {' '.join(pathlib.Path(p).name for p in packages)} into {layer}", flush=True)
            with self.layered([base], keep=layer) as root:
                words = []
                for package in packages:
                    words.append(str(package))
                    if "/" in str(package):
                        shutil.copy(package, root / "tmp")
                        words[-1] = f"/tmp/{pathlib.Path(package).name}"
                # No service may start in a folder.
                (root / NO_DAEMONS[1:]).write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
                (root / NO_DAEMONS[1:]).chmod(0o755)
                log = self.cache / f"{suite}-{arch}.log"
                if foreign is not None:
                    run_quietly(in_root(root, "dpkg", "--add-architecture", foreign), log)
                    run_quietly(in_root(root, "apt-get", "update", "-q"), log)
                run_quietly(in_root(root, "apt-get", "install", "-q", "-y", "--no-install-recommends", *words), log)
                (root / NO_DAEMONS[1:]).unlink()
        return [layer, base]

    @contextlib.contextmanager
    def layered(self, lowers, keep=None):
        """A folder that looks like `lowers`, the first on top. What is written into it goes, or is kept."""
        if keep is None:
            self._remove_older()
        with self._scratch() as scratch:
            merged = overlay(lowers, scratch)
            archives = self.cache / "archives"
            archives.mkdir(exist_ok=True)
            (merged / "var/cache/apt/archives").mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", str(archives), str(merged / "var/cache/apt/archives")], check=True)
            yield merged
            if keep is not None:
                subprocess.run(["umount", "-R", str(merged)], check=True)
                os.rename(scratch / "upper", keep)

    @contextlib.contextmanager
    def copy_of_this_system(self):
        """The file system that this program sees as its root. What is written is kept in memory, since a layer may
        not lie inside of what it covers."""
        with self._scratch() as scratch:
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=755,size={MEMORY_LAYER}", "tmpfs",
                                      str(scratch)], capture_output=True, text=True, check=False)
            if mounted.returncode != 0:
                raise Unavailable(f"nothing can be mounted here: {mounted.stderr.strip()}")
            yield overlay(["/"], scratch)

    @contextlib.contextmanager
    def _scratch(self):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="layer-", dir=self.cache))
        try:
            yield scratch
        finally:
            for mount in (scratch / "merged", scratch):
                subprocess.run(["umount", "-R", "-l", str(mount)], capture_output=True, check=False)
            shutil.rmtree(scratch, ignore_errors=True)

    def _remove_older(self):
        """Layers of packages that nobody asked for in a while."""
        for layer in self.cache.glob("*-*-????????????"):
            if time.time() - layer.stat().st_mtime > DAYS_KEPT * 24 * 3600:
                shutil.rmtree(layer, ignore_errors=True)
