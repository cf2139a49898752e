#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks an OCI image without a container engine: check_image.py ARCHIVE [MODEL].

Digests and sizes are those of the blobs. With a model, and as root: then the layer is unpacked, and the image's own command is started there as
an engine would start it: in namespaces of its own, as the image's user, without capabilities, on a root that cannot be
written but for the volumes. The client of the image asks it, and SIGTERM ends it with exit code 0. That is done once
as on the host, once with seccomp.json, and once with io_uring refused as by the engines' own profiles; the last two
need python3-seccomp."""

import ctypes
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile

ROOM = pathlib.Path(__file__).resolve().parent
WAIT_SECONDS = 120
PROGRAMS = ["edgemoe", "edgemoe-bench", "edgemoe-download", "edgemoed"]  # no shell, no package manager
PR_SET_NO_NEW_PRIVS = 38
MS_REC, MS_BIND, MS_REMOUNT, MS_RDONLY, MS_PRIVATE = 16384, 4096, 32, 1, 1 << 18
CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWIPC = 0x00020000, 0x40000000, 0x08000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Wrong(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Wrong(what)


def read_image(path):
    """(config, layers' tars as bytes), after every digest and size was compared."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    expect(json.loads(files["oci-layout"])["imageLayoutVersion"] == "1.0.0", "oci-layout: not version 1.0.0")

    def blob(descriptor):
        content = files["blobs/" + descriptor["digest"].replace(":", "/")]
        found = "sha256:" + hashlib.sha256(content).hexdigest()
        expect(found == descriptor["digest"], f"digest: {descriptor['digest']} is {found}")
        expect(len(content) == descriptor["size"], f"size of {found}: {descriptor['size']} is {len(content)}")
        return content

    manifests = json.loads(files["index.json"])["manifests"]
    expect(len(manifests) == 1, f"index.json: {len(manifests)} manifests, expected one")
    manifest = json.loads(blob(manifests[0]))
    config = json.loads(blob(manifest["config"]))
    packed = [blob(layer) for layer in manifest["layers"]]
    expect(len(files) == 3 + 2 + len(packed), "blobs that nothing names")
    places = ["blobs/" + entry["digest"].replace(":", "/") for entry in [manifest["config"], *manifest["layers"]]]
    docker = json.loads(files["manifest.json"])
    expect([docker[0]["Config"], *docker[0]["Layers"]] == places, f"manifest.json: {docker}, expected {places}")
    layers = [subprocess.run(["gzip", "--decompress", "--stdout"], input=layer, check=True,
                             capture_output=True).stdout for layer in packed]
    digests = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
    expect(digests == config["rootfs"]["diff_ids"], f"diff_ids: {config['rootfs']['diff_ids']}, found {digests}")
    return config, layers


def mount(source, target, kind, flags):
    done = LIBC.mount(str(source).encode(), str(target).encode(), kind.encode(), flags, None)
    if done != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def refusing_io_uring(seccomp):
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    rules.add_rule(seccomp.ERRNO(1), "io_uring_setup")
    return rules


def as_profile(seccomp):
    profile = json.loads((ROOM / "seccomp.json").read_text())
    rules = seccomp.SyscallFilter(seccomp.ERRNO(profile["defaultErrnoRet"]))
    for group in profile["syscalls"]:
        for name in group["names"]:
            # Else of another architecture, or newer than the library.
            if seccomp.resolve_syscall(seccomp.Arch(), name) >= 0:
                rules.add_rule(seccomp.ALLOW, name)
    return rules


class Container:
    """What an engine makes of the image; the parts that need none of its own."""

    def __init__(self, config, root, model):
        self.config, self.root, self.model = config["config"], root, model
        self.user, self.group = (int(part) for part in self.config["User"].split(":"))

    def _enter(self, rules):
        """In the child: the container's view, its user, and what it may ask of the kernel."""
        if LIBC.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        mount("none", "/", "", MS_REC | MS_PRIVATE)
        mount(self.root, self.root, "", MS_BIND)
        mount("none", self.root, "", MS_BIND | MS_REMOUNT | MS_RDONLY)
        for volume in self.config["Volumes"]:
            mount(f"{self.root}.volumes{volume}", f"{self.root}{volume}", "", MS_BIND)
        mount("/proc", f"{self.root}/proc", "", MS_BIND | MS_REC)
        mount("/dev", f"{self.root}/dev", "", MS_BIND | MS_REC)
        mount("/sys", f"{self.root}/sys", "", MS_BIND | MS_REC)
        os.chroot(self.root)
        os.chdir(self.config["WorkingDir"])
        LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        os.setgroups([])
        os.setresgid(self.group, self.group, self.group)
        os.setresuid(self.user, self.user, self.user)
        if rules:
            rules.load()

    def start(self, command, rules=None, **options):
        environment = dict(entry.split("=", 1) for entry in self.config["Env"])
        return subprocess.Popen(command, env=environment, preexec_fn=lambda: self._enter(rules), text=True,
                                stdin=subprocess.DEVNULL, **options)

    def run(self, command):
        process = self.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate(timeout=2 * WAIT_SECONDS)
        expect(process.returncode == 0, f"{command}: exit code {process.returncode}: {output}")
        return output


def serve(container, rules, backend):
    """One life of the daemon. `backend`: how it is expected to read experts; None: any way."""
    command = container.config["Entrypoint"] + container.config["Cmd"] + [
        "--model", "/var/lib/edgemoe/models/model.gguf", "--memory-budget", "48MiB", "--context-tokens", "512",
        "--sessions-max", "1"]
    daemon = container.start(command, rules, stderr=subprocess.PIPE)
    try:
        container.run(["/usr/bin/edgemoe", "health", "--wait", str(WAIT_SECONDS)])
        text = container.run(["/usr/bin/edgemoe", "complete", "-t", "0", "-n", "16", "Once upon a time"])
        stats = json.loads(container.run(["/usr/bin/edgemoe", "stats", "--json"]))
        found = stats["machine"]["ioBackend"]
        expect(backend in (None, found), f"experts are read with {found}, expected {backend}")
        expect(text.strip(), "no text was written")
        daemon.send_signal(signal.SIGTERM)
        _, log = daemon.communicate(timeout=WAIT_SECONDS)
        expect(daemon.returncode == 0, f"exit code after SIGTERM: {daemon.returncode}\n{log}")
        expect("stopped" in log, f"the log does not go to stderr: {log}")
        return found, stats["machine"].get("ioNote", ""), text.strip()
    finally:
        if daemon.poll() is None:
            daemon.kill()
            print(daemon.communicate()[1], file=sys.stderr)


def unpack(layers, root, container):
    root.mkdir()
    for layer in layers:
        subprocess.run(["tar", "--extract", "--numeric-owner", "--preserve-permissions", "--directory", root],
                       input=layer, check=True)
    for name in ("dev", "proc", "sys"):
        (root / name).mkdir(exist_ok=True)
    # New volumes start with what the image has there.
    for volume in container.config["Volumes"]:
        place = pathlib.Path(f"{root}.volumes{volume}")
        place.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "--archive", f"{root}{volume}", place], check=True)
    model = pathlib.Path(f"{root}.volumes/var/lib/edgemoe/models/model.gguf")
    subprocess.run(["cp", container.model, model], check=True)
    model.chmod(0o644)


def run_lives(config, layers, model):
    try:
        import seccomp
        lives = [("as on the host", None, None), ("with seccomp.json", as_profile(seccomp), "io_uring"),
                 ("io_uring refused", refusing_io_uring(seccomp), "pread")]
    except ImportError:
        print("!! SKIPPED: there is no python3-seccomp here; nothing was tried under seccomp.")
        lives = [("as on the host", None, None)]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        root = pathlib.Path(folder) / "root"
        container = Container(config, root, model)
        unpack(layers, root, container)
        programs = sorted({path.name for folder in ("bin", "sbin", "usr/bin", "usr/sbin")
                           for path in (root / folder).glob("*")})
        expect(programs == PROGRAMS, f"programs: found {programs}, expected {PROGRAMS}")
        for program in programs:  # with all their libraries
            container.run([f"/usr/bin/{program}", "--help"])
        texts = set()
        for name, rules, backend in lives:
            found, note, text = serve(container, rules, backend)
            print(f"{name}: served with {found}{': ' + note if note else ''}; stopped with exit code 0")
            texts.add(text)
        expect(len(texts) == 1, f"different texts: {texts}")


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 64
    try:
        config, layers = read_image(sys.argv[1])
        print("digests and sizes: as the blobs are")
        if len(sys.argv) == 3:
            if os.geteuid() != 0:
                print("check_image.py: expected root, for namespaces and another user", file=sys.stderr)
                return 77
            run_lives(config, layers, os.path.abspath(sys.argv[2]))
        print("image: nothing to complain about")
    except Wrong as problem:
        print(f"check_image.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
