# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on a machine: each time the service heals by itself, or ends once, and says what is the matter."""

from setting import GREEDY, INSTALLED_DEMO, MODEL_DROP_IN, check_stream, set_model

HOME_MODEL = "/home/alice/models/demo.gguf"
SOCKET = "/run/edgemoe/edgemoed.sock"
RESTART_S = 30  # RestartSec, and a start on a busy machine
START = "/usr/bin/edgemoed --config /etc/edgemoe/edgemoed.json --allow-groups edgemoe"


def run(setting, suite, checks):
    with setting.serving(suite) as system:
        for fault in (broken_at_reload, broken_at_boot, closed_home, late_model, started_twice, memlock_refused,
                      io_uring_refused, full_disk, read_only_disk, wedged_engine, killed):
            fault(system, checks)
            set_model(system, INSTALLED_DEMO)
            system.remove_drop_in()
            system.run("systemctl", "restart", "edgemoed", timeout=100)


def broken_at_reload(system, checks):
    pid = system.unit("edgemoed", "MainPID")
    system.write(MODEL_DROP_IN, '{"memory": {"budget": "much"}}\n')
    cursor = system.journal_cursor()
    reload = system.run("systemctl", "reload", "edgemoed")
    checks.expect("reload of a broken configuration fails", reload.code != 0, reload.text)
    checks.contains("and the log says which key and value", system.journal(since=cursor), "memory.budget", "much")
    check_stream(checks, "the daemon goes on as before", system.run("edgemoe", *GREEDY, user="alice"))
    checks.expect("in the same process", system.unit("edgemoed", "MainPID") == pid)


def broken_at_boot(system, checks):
    system.write(MODEL_DROP_IN, '{"model": {"paht": "/x"}}\n')
    cursor = system.journal_cursor()
    started = system.run("systemctl", "restart", "edgemoed")
    checks.expect("a start with a broken configuration fails", started.code != 0, started.text)
    found = [system.unit("edgemoed", key) for key in ("ActiveState", "ExecMainStatus", "NRestarts")]
    checks.expect("with 78, and is not tried again", found == ["failed", "78", "0"], found)
    checks.contains("the log names the file and the key", system.journal(since=cursor), MODEL_DROP_IN, "paht")


def closed_home(system, checks):
    system.must("install", "-D", "-m", "644", "/srv/demo.gguf", HOME_MODEL)
    system.must("chmod", "700", "/home/alice")
    set_model(system, HOME_MODEL)
    cursor = system.journal_cursor()
    started = system.run("systemctl", "restart", "edgemoed")
    checks.expect("a start with a model in a closed home fails", started.code != 0, started.text)
    checks.contains("the log names the folder and what opens it", system.journal(since=cursor),
                    "may not enter /home/alice", "setfacl")
    checks.expect("it is tried again", system.unit("edgemoed", "SubState").startswith("auto-restart"),
                  system.unit("edgemoed", "SubState"))
    system.must("chmod", "711", "/home/alice")
    checks.expect("it heals when the home is opened", system.until(system.is_active, RESTART_S), system.journal())
    check_stream(checks, "and streams", system.run("edgemoe", "--wait", "30", *GREEDY, user="alice"))


def late_model(system, checks):
    set_model(system, "/mnt/late/demo.gguf")
    cursor = system.journal_cursor()
    system.run("systemctl", "restart", "edgemoed")
    checks.expect("with a model that is not there yet the service waits and tries again",
                  system.until(lambda: system.unit("edgemoed", "SubState").startswith("auto-restart"), RESTART_S),
                  system.journal(since=cursor))
    checks.contains("the log names the file", system.journal(since=cursor), "/mnt/late/demo.gguf")
    system.must("install", "-D", "-m", "644", "/srv/demo.gguf", "/mnt/late/demo.gguf")
    checks.expect("it heals when the model is there", system.until(system.is_active, RESTART_S), system.journal())
    check_stream(checks, "and streams from there", system.run("edgemoe", "--wait", "30", *GREEDY, user="alice"))


def started_twice(system, checks):
    second = system.run("edgemoed", "--config", "/etc/edgemoe/edgemoed.json", "--socket", SOCKET, "--log-target",
                        "stderr", user="edgemoe")
    checks.expect("a second daemon on the socket ends with 81", second.code == 81,
                  f"status {second.code}\n{second.text}")
    checks.contains("and says why", second.err, SOCKET)
    check_stream(checks, "the first goes on", system.run("edgemoe", *GREEDY, user="alice"))


def restarted(system, checks, name):
    cursor = system.journal_cursor()
    started = system.run("systemctl", "restart", "edgemoed", timeout=100)
    checks.expect(name, started.code == 0, started.text + system.journal(since=cursor))
    answer = system.run("edgemoe", "--wait", "60", *GREEDY, user="alice", timeout=90)
    check_stream(checks, f"{name}: it streams", answer)
    return system.journal(since=cursor)


def memlock_refused(system, checks):
    system.drop_in("[Service]\nLimitMEMLOCK=64K\n")
    said = restarted(system, checks, "memory locks refused")
    limit = system.shell('grep "locked memory" /proc/"$(systemctl show -P MainPID edgemoed)"/limits').out
    if "65536" not in limit:
        checks.skip("what the log says of memory locks", f"LimitMEMLOCK=64K has no effect here: {limit.strip()}")
    else:
        checks.contains("the log says what is not registered, and by which limit", said, "RLIMIT_MEMLOCK is 64 KiB")


def io_uring_refused(system, checks):
    system.drop_in("[Service]\nSystemCallFilter=~io_uring_setup io_uring_enter io_uring_register\n")
    said = restarted(system, checks, "io_uring refused")
    checks.contains("the log says what reads instead", said, "pread (io_uring")


def full_disk(system, checks):
    """The state directory on a disk that has no room, or gets none."""
    system.must("systemctl", "stop", "edgemoed", timeout=100)
    system.must("mount", "-t", "tmpfs", "-o", "size=44M,mode=755,uid=edgemoe,gid=edgemoe", "tmpfs", "/var/lib/edgemoe")
    system.must("install", "-D", "-o", "edgemoe", "-m", "644", "/srv/demo.gguf", INSTALLED_DEMO)
    system.must("chown", "edgemoe:edgemoe", "/var/lib/edgemoe/models")
    system.shell("head -c 100M /dev/zero >/var/lib/edgemoe/filled")
    restarted(system, checks, "on a full disk")
    packed = system.run("edgemoe", "pack", INSTALLED_DEMO, timeout=120)
    checks.expect("a pack ends with 75", packed.code == 75, f"status {packed.code}\n{packed.text}")
    checks.contains("and says that there is no room", packed.text, "No space left")
    left = system.shell("ls /var/lib/edgemoe/models/*.gguf").out.split()
    checks.expect("no half pack has a model's name", left == [INSTALLED_DEMO], left)
    check_stream(checks, "the daemon goes on", system.run("edgemoe", *GREEDY, user="alice"))
    stopped = system.run("systemctl", "stop", "edgemoed", timeout=100)
    checks.expect("it stops cleanly without room for its state",
                  stopped.code == 0 and system.unit("edgemoed", "Result") == "success", system.journal())
    system.must("umount", "/var/lib/edgemoe")


def read_only_disk(system, checks):
    system.must("systemctl", "stop", "edgemoed", timeout=100)
    system.must("mount", "--bind", "/var/lib/edgemoe", "/var/lib/edgemoe")
    system.must("mount", "-o", "remount,bind,ro", "/var/lib/edgemoe")
    restarted(system, checks, "on a read-only disk")
    packed = system.run("edgemoe", "pack", INSTALLED_DEMO, timeout=120)
    checks.expect("a pack onto a read-only disk is refused", packed.code in (74, 77), f"{packed.code}\n{packed.text}")
    checks.contains("and says so", packed.text, "ead-only file system")
    stopped = system.run("systemctl", "stop", "edgemoed", timeout=100)
    checks.expect("it stops cleanly where it can keep nothing",
                  stopped.code == 0 and system.unit("edgemoed", "Result") == "success", system.journal())
    system.must("umount", "/var/lib/edgemoe")


def wedged_engine(system, checks):
    """A read that does not end: each takes a minute, the watchdog waits six seconds."""
    system.drop_in(f"[Service]\nWatchdogSec=6\nExecStart=\nExecStart={START} --expert-budget 6MiB "
                   "--io-faults slow:ms=60000\n")
    cursor = system.journal_cursor()
    system.must("systemctl", "restart", "edgemoed", timeout=100)
    asked = system.start("edgemoe", *GREEDY, user="alice")
    was_restarted = system.until(lambda: system.unit("edgemoed", "NRestarts") not in ("", "0"), 90)
    checks.expect("systemd restarts a wedged engine", was_restarted, system.journal(since=cursor))
    checks.contains("the log says that it does not get on", system.journal(since=cursor), "does not get on",
                    "Watchdog timeout")
    answer = system.finish(asked, 90)
    checks.expect("the client is told, and waits no longer", answer.code in (69, 75), f"{answer.code}\n{answer.text}")
    checks.expect("the new process serves", system.until(system.is_active, RESTART_S), system.journal(since=cursor))


def killed(system, checks):
    pid = system.unit("edgemoed", "MainPID")
    system.must("systemctl", "kill", "-s", "KILL", "edgemoed")
    back = system.until(lambda: system.is_active() and system.unit("edgemoed", "MainPID") != pid, RESTART_S)
    checks.expect("a daemon that was killed comes back", back, system.journal())
    check_stream(checks, "and streams as before", system.run("edgemoe", "--wait", "30", *GREEDY, user="alice"))
