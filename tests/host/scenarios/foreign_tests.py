# SPDX-License-Identifier: Apache-2.0
"""The project's own tests for 64-bit ARM: built by a cross compiler, each program run by an emulator."""

import io
import pathlib
import re
import subprocess
import tarfile

from roots import in_root, native_arch
from scenarios.arm64 import emulated

ARCH = "arm64"
CROSS = [f"crossbuild-essential-{ARCH}", "python3-grpcio", "python3-jinja2", "python3-protobuf", "python3-yaml"]
OF_ANY_ARCH = ("libcli11-dev", "libexpected-dev")  # headers alone
SOURCE = "/srv/source"
BUILD = "/srv/build"
CONFIGURE = ["cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "--log-level=ERROR",
             f"-DCMAKE_TOOLCHAIN_FILE={SOURCE}/cmake/aarch64.cmake", "-DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu",
             "-DPKG_CONFIG_EXECUTABLE=/usr/bin/aarch64-linux-gnu-pkg-config", "-DCMAKE_BUILD_TYPE=Release",
             "-DCMAKE_UNITY_BUILD=ON"]
# An emulated test takes up to forty times as long.
# All that the emulator knows; the host's /proc/cpuinfo says nothing of it.
PROCESSOR = ["QEMU_CPU=max", "EDGEMOE_TEST_CPU_FEATURES=neon neon_dotprod"]
TEST = ["ctest", "--test-dir", BUILD, "--output-on-failure", "--timeout", "7200", "-j2"]
LONGEST_S = 4 * 3600


def run(setting, suite, checks):
    with emulated():
        lowers = setting.roots.with_packages(suite, native_arch(), build_packages(setting.tree) + CROSS, foreign=ARCH)
        kept = setting.roots.cache / f"tests-{suite}-{ARCH}"
        put_sources(setting.tree, kept / "source")
        (kept / "build").mkdir(exist_ok=True)
        with setting.roots.layered(lowers) as root:
            for place in (SOURCE, BUILD):
                (root / place[1:]).mkdir()
                subprocess.run(["mount", "--bind", str(kept / pathlib.Path(place).name), str(root / place[1:])],
                               check=True)
            for step, words in (("configured", CONFIGURE), ("built", ["ninja", "-C", BUILD])):
                done = step_in(root, words)
                if not checks.expect(f"the tests are {step}", done.returncode == 0, done.stdout):
                    return
            tell(checks, step_in(root, TEST))


def build_packages(tree):
    """What debian/control wants for a build: libraries for ARCH, programs for this machine."""
    control = (tree / "packaging/debian/control").read_text(encoding="utf-8")
    wanted = re.search(r"^Build-Depends:((?:\n .*)+)", control, re.MULTILINE).group(1)
    names = re.findall(r"^ ([a-z0-9+.-]+)", wanted, re.MULTILINE)
    return [f"{name}:{ARCH}" if name.startswith("lib") and name not in OF_ANY_ARCH else name
            for name in names if not name.startswith(("debhelper", "dh-"))]


def put_sources(tree, folder):
    """What git has. A file that is the same keeps its time, so that only what has changed is built anew."""
    archive = subprocess.run(["git", "-c", f"safe.directory={pathlib.Path(tree).resolve()}", "archive", "HEAD"],
                             cwd=tree, check=True, capture_output=True).stdout
    kept = set()
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in filter(tarfile.TarInfo.isfile, members):
            path = folder / member.name
            content = members.extractfile(member).read()
            kept.add(path)
            if path.exists() and path.read_bytes() == content:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(member.mode)
    for path in folder.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()


def step_in(root, words):
    return subprocess.run(in_root(root, *words, environment=PROCESSOR), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LONGEST_S, check=False)


def tell(checks, done):
    for name, outcome in re.findall(r"^ *\d+/\d+ Test +#\d+: (\S+) \.+\**(.*?) +[\d.]+ sec", done.stdout, re.MULTILINE):
        if "Skipped" in outcome:
            checks.skip(name, outcome.strip())
        else:
            checks.expect(name, outcome.strip() == "Passed", outcome)
    for program, why in re.findall(r"^(.*SKIPPED): (.*)$", done.stdout, re.MULTILINE):
        checks.figure(program.strip(), why)
    checks.expect("all tests pass", done.returncode == 0, done.stdout[-3000:])
