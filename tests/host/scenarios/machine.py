# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with control groups of version 2: a budget that follows a limit, clock jumps, power cuts."""

import contextlib
import json
import pathlib
import shutil

from setting import DEMO, GREEDY, GREEDY_TEXT, INSTALLED_DEMO, check_stream, set_model
from virtual import Disk, VirtualMachine

KERNEL = ["linux-image-cloud-amd64", "initramfs-tools"]
HUB = ["python3"]
MIB = 1024 * 1024
LIMIT_MIB = 64
FOLLOWS_S = 60
RETURNS_S = 180
PACK = "/var/lib/edgemoe/models/second.gguf"
REPOSITORY = "/srv/hub/org/demo"
PULLED = "/var/lib/edgemoe/models/demo-Q8_0.gguf"
PULL = ["edgemoe", "pull", "hf.co/org/demo"]
ADDED = "/var/lib/edgemoe/models/added.gguf"
# A copy: to calibrate takes an emulated processor the better part of an hour.
MAKE_PACK = ["edgemoe", "pack", INSTALLED_DEMO, "-o", PACK, "--method", "copy"]
ENOUGH = "/run/enough"
STREAMS_MAX = 100
# Streams, one behind another, until ENOUGH is there.
STREAMS = f"""for i in $(seq {STREAMS_MAX}); do
  "$@" || exit 1
  if test -e {ENOUGH}; then exit 0; fi
done
exit 2"""


def run(setting, suite, checks):
    with disk_with_daemon(setting, suite, "amd64", [*KERNEL, *HUB], add_hub) as disk:
        with VirtualMachine(disk) as machine:
            is_what_it_should_be(machine, checks)
            budget_follows(machine, checks)
            clock_jumps(machine, checks)
            cut_while_packing(machine, checks)
        with VirtualMachine(disk) as machine:
            after_cut_while_packing(machine, checks)
            cut_while_pulling(machine, checks)
        with VirtualMachine(disk) as machine:
            after_cut_while_pulling(machine, checks)
            cut_after_add(machine, checks)
        with VirtualMachine(disk) as machine:
            after_cut_of_add(machine, checks)


@contextlib.contextmanager
def disk_with_daemon(setting, suite, arch, packages, add=None):
    """A disk with Debian, our packages, those named, and the demo as the model of the service; `add` changes it."""
    lowers = setting.roots.with_packages(suite, arch, [*setting.packages(suite, arch), *packages])
    with setting.roots.layered(lowers) as root:
        demo = root / INSTALLED_DEMO[1:]
        demo.parent.mkdir(parents=True, exist_ok=True)
        for path in (demo, root / "srv/demo.gguf"):
            path.write_bytes((setting.tree / DEMO).read_bytes())
        drop_ins = root / "etc/edgemoe/edgemoed.d"
        drop_ins.mkdir(parents=True, exist_ok=True)
        (drop_ins / "50-model.json").write_text(f'{{"model": {{"path": "{INSTALLED_DEMO}"}}}}\n', encoding="utf-8")
        if add is not None:
            add(setting, root)
        disk = Disk(root, arch, setting.roots.cache)
    try:
        yield disk
    finally:
        disk.remove()


def add_hub(setting, root):
    """A hub with a repository, whose first answer stops in the middle of the file."""
    shutil.copy(setting.tree / "tests/download/faulty_hub.py", root / "srv")
    folder = root / REPOSITORY[1:]
    folder.mkdir(parents=True)
    model = bytearray((setting.tree / DEMO).read_bytes())
    model[-1] ^= 1  # no model that is here already
    (folder / pathlib.Path(PULLED).name).write_bytes(model)
    (folder / "script.json").write_text('{"file": [{"stall": 9000000}]}', encoding="utf-8")


def serves(machine, checks, name):
    answer = machine.run("edgemoe", "--wait", "120", *GREEDY, timeout=240)
    if not check_stream(checks, name, answer):
        checks.expect(f"{name}: the unit", machine.is_active(), machine.journal())


def is_what_it_should_be(machine, checks):
    kind = machine.run("stat", "-f", "-c", "%T", "/sys/fs/cgroup").out.strip()
    checks.expect("control groups are of version 2", kind == "cgroup2fs", kind)
    checks.expect("the kernel tells of pressure", machine.run("cat", "/proc/pressure/memory").code == 0)
    serves(machine, checks, "the daemon streams in the machine")
    said = machine.journal()
    checks.expect("it reads by io_uring with registered buffers",
                  "through io_uring" in said and "not registered" not in said, said)


def budget(machine):
    stats = json.loads(machine.must("edgemoe", "--json", "stats"))
    return int(stats["memory"]["budgetBytes"])


def start_streams(machine, name):
    machine.must("rm", "-f", ENOUGH)
    machine.background(name, "sh", "-c", STREAMS, "streams", "edgemoe", *GREEDY)
    if not machine.until(lambda: machine.run("test", "-s", f"/run/{name}.out").code == 0, 200):
        raise RuntimeError("no stream begins: " + machine.run("cat", f"/run/{name}.err").out)


def end_streams(machine, checks, name):
    machine.must("touch", ENOUGH)
    streams = machine.finish(name, 200)
    texts = streams.out.strip().split(GREEDY_TEXT)
    checks.expect(f"{len(texts) - 1} streams meanwhile have all their text",
                  streams.code == 0 and len(texts) > 1 and not "".join(texts).strip(),
                  f"{streams.code}\n{streams.text}")


def budget_follows(machine, checks):
    before = budget(machine)
    start_streams(machine, "limited")
    limited = machine.run("systemctl", "set-property", "--runtime", "edgemoed", f"MemoryMax={LIMIT_MIB}M")
    checks.expect("MemoryMax of the running unit", limited.code == 0, limited.text)
    follows = machine.until(lambda: budget(machine) < before, FOLLOWS_S)
    checks.expect("the budget follows within a minute", follows, machine.journal())
    checks.figure("budget before and under the limit", f"{before / MIB:.0f} and {budget(machine) / MIB:.0f} MiB")
    end_streams(machine, checks, "limited")
    machine.must("systemctl", "set-property", "--runtime", "edgemoed", "MemoryMax=infinity")
    checks.expect("the budget comes back with the memory", machine.until(lambda: budget(machine) >= before, RETURNS_S),
                  f"{budget(machine)} of {before}\n{machine.journal()}")
    checks.expect("nothing was killed", machine.unit("edgemoed", "NRestarts") == "0", machine.journal())


def clock_jumps(machine, checks):
    """By a day to and fro, as when a board without a battery learns the time while it serves."""
    pid = machine.unit("edgemoed", "MainPID")
    start_streams(machine, "jumps")
    for change in ("+1 day", "-2 days", "+1 day"):
        machine.must("date", "-s", change)
        checks.expect(f"the clock jumps by {change}: stats come", machine.run("edgemoe", "stats").code == 0)
    end_streams(machine, checks, "jumps")
    checks.expect("in the same process", machine.unit("edgemoed", "MainPID") == pid, machine.journal())


def cut_while_packing(machine, checks):
    machine.background("pack", *MAKE_PACK)
    writes = machine.until(lambda: machine.shell(f"test -s {PACK}.partial || test -e {PACK}").code == 0, 300)
    checks.expect("a pack is being written", writes, machine.run("cat", "/run/pack.err").out)
    machine.cut_power()


def after_cut_while_packing(machine, checks):
    serves(machine, checks, "after a power cut in the middle of a pack the daemon streams")
    there = machine.run("test", "-e", PACK).code == 0
    shown = machine.run("edgemoe", "models", "show", PACK, timeout=120) if there else None
    checks.expect("no half pack has a model's name", shown is None or shown.code in (0, 1), shown and shown.text)
    again = machine.run(*MAKE_PACK, "--overwrite", timeout=500)
    checks.expect("the pack can be made again", again.code == 0, again.text)
    set_model(machine, PACK)
    machine.must("systemctl", "restart", "edgemoed", timeout=200)
    answer = machine.run("edgemoe", "--wait", "120", *GREEDY, timeout=240)
    checks.expect("and served", answer.code == 0 and len(answer.out.split()) > 5, answer.text)
    set_model(machine, INSTALLED_DEMO)
    machine.must("sync")


def start_hub(machine):
    machine.background("hub", "python3", "/srv/faulty_hub.py", "/srv/hub")
    if not machine.until(lambda: machine.run("test", "-s", "/run/hub.out").code == 0, 100):
        raise RuntimeError("the hub does not start: " + machine.run("cat", "/run/hub.err").out)
    return ["env", f"HF_ENDPOINT=http://127.0.0.1:{machine.must('cat', '/run/hub.out').strip()}", *PULL]


def cut_while_pulling(machine, checks):
    machine.background("pull", *start_hub(machine))
    writes = machine.until(lambda: machine.shell("test -s /var/lib/edgemoe/models/*.part").code == 0, 200)
    checks.expect("a model is being downloaded", writes,
                  machine.shell("cat /run/pull.err; ls -la /var/lib/edgemoe/models").out)
    machine.cut_power()


def after_cut_while_pulling(machine, checks):
    serves(machine, checks, "after a power cut in the middle of a pull the daemon streams")
    checks.expect("no half download has a model's name", machine.run("test", "-e", PULLED).code != 0)
    machine.must("rm", f"{REPOSITORY}/script.json")
    again = machine.run(*start_hub(machine), timeout=400)
    checks.expect("the pull ends when it is asked for again", again.code == 0, again.text)
    same = machine.run("cmp", f"{REPOSITORY}/{pathlib.Path(PULLED).name}", PULLED, timeout=200)
    checks.expect("with the file as the hub has it", same.code == 0, same.text)


def cut_after_add(machine, checks):
    """Twice: one that has told its success, and one that runs."""
    for name in ("added", "adding"):
        machine.must("ln", "/srv/demo.gguf", f"/srv/{name}.gguf")
    machine.must("sync")
    added = machine.run("edgemoe", "models", "add", "/srv/added.gguf", timeout=120)
    checks.expect("models add", added.code == 0, added.text)
    machine.background("adding", "edgemoe", "models", "add", "/srv/adding.gguf")
    machine.cut_power()


def after_cut_of_add(machine, checks):
    serves(machine, checks, "after a power cut at models add the daemon streams")
    checks.expect("what was added has stayed", machine.run("test", "-L", ADDED).code == 0,
                  machine.shell("ls -l /var/lib/edgemoe/models").out)
    found = machine.shell("for link in /var/lib/edgemoe/models/*.gguf; do head -c 4 $link || exit 1; done")
    checks.expect("every model's name leads to a whole file", found.code == 0 and set(found.out.split("GGUF")) == {""},
                  found.text + machine.shell("ls -l /var/lib/edgemoe/models").out)
