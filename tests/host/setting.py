# SPDX-License-Identifier: Apache-2.0
"""Where things are: the tree, the packages, the roots; and what every scenario does with them."""

import contextlib
import pathlib
import shutil

from booted import Booted
from checks import Unavailable
from roots import Roots, native_arch

DEMO = "models/edgemoe-demo-q8_0.gguf"
PACKAGES_IN_ROOT = "/srv/packages"
INSTALLED_DEMO = "/var/lib/edgemoe/models/demo.gguf"
MODEL_DROP_IN = "/etc/edgemoe/edgemoed.d/50-model.json"

EXPOSURE_MAX_TENTHS = 15
SERVICES = ("edgemoed.service", "edgemoed@.service", "edgemoe-download@.service")
UNITS = (*SERVICES, "edgemoed.socket", "edgemoed@.socket", "edgemoe-download.socket")

PROMPT = "Once upon a time"
GREEDY = ["complete", "-t", "0", "-n", "24", "--ignore-end", PROMPT]
# What the demo model answers on every machine.
GREEDY_TEXT = ("there was a brave gardener named Emil who lived in a valley full of apple trees. Every day Emil played "
               "with his lion")


class Setting:
    def __init__(self, options):
        self.tree = pathlib.Path.cwd()
        self.roots = Roots(options.cache)
        self.packages_folder = pathlib.Path(options.packages)
        self.build = pathlib.Path(options.build)

    def packages(self, suite, arch=None, names=("edgemoed", "edgemoe")):
        """The newest package file of each name. Raises Unavailable where one was not built."""
        folder = self.packages_folder / f"{suite}-{arch or native_arch()}"
        found = []
        for name in names:
            files = sorted(folder.glob(f"{name}_*.deb"), key=lambda file: file.stat().st_mtime)
            if not files:
                raise Unavailable(f"there is no {folder}/{name}_*.deb; ./dev deb builds it")
            found.append(files[-1].resolve())
        return found

    @contextlib.contextmanager
    def bare(self, suite):
        """A booted Debian with the package files in PACKAGES_IN_ROOT, nothing of ours being installed."""
        files = self.packages(suite)
        with self.roots.layered([self.roots.base(suite, native_arch())]) as root:
            self._copy(root, files)
            with Booted(root) as system:
                yield system

    @contextlib.contextmanager
    def serving(self, suite):
        """A booted Debian whose daemon serves the demo model, and may be used by alice, not by bob."""
        files = self.packages(suite)
        lowers = self.roots.with_packages(suite, native_arch(), files)
        with self.roots.layered(lowers) as root:
            self._copy(root, files)
            with Booted(root) as system:
                give_demo(system)
                system.must("usermod", "-aG", "edgemoe", "alice")
                system.must("systemctl", "restart", "edgemoed")
                system.must("edgemoe", "--wait", "60", *GREEDY, timeout=90)
                yield system

    def _copy(self, root, files):
        folder = root / PACKAGES_IN_ROOT[1:]
        folder.mkdir(parents=True)
        for file in files:
            shutil.copy(file, folder)
        shutil.copy(self.tree / DEMO, root / "srv/demo.gguf")


def give_demo(system, path=INSTALLED_DEMO):
    system.must("install", "-D", "-m", "644", "/srv/demo.gguf", path)
    set_model(system, path)


def set_model(system, path, **more):
    keys = "".join(f', "{key}": {value}' for key, value in more.items())
    system.write(MODEL_DROP_IN, f'{{"model": {{"path": "{path}"}}{keys}}}\n')


def check_stream(checks, name, result):
    """The demo's text, as on every machine."""
    return checks.expect(name, result.code == 0 and result.out.strip() == GREEDY_TEXT,
                         f"status {result.code}\n{result.text}")
