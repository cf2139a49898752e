# SPDX-License-Identifier: Apache-2.0
"""Daemons that systemd starts for a connection, by a name, and for a user."""

from setting import GREEDY, INSTALLED_DEMO, check_stream, set_model

IDLE_S = 2
GONE_S = 40
SECOND_SOCKET = "/run/edgemoe-second/edgemoed.sock"


def run(setting, suite, checks):
    with setting.serving(suite) as system:
        by_connection(system, checks)
        second(system, checks)
        of_a_user(system, checks)


def by_connection(system, checks):
    system.must("systemctl", "disable", "--now", "edgemoed.service", timeout=100)
    set_model(system, INSTALLED_DEMO, listen=f'{{"idle_exit_s": {IDLE_S}}}')
    cursor = system.journal_cursor()
    enabled = system.run("systemctl", "enable", "--now", "edgemoed.socket")
    checks.expect("the socket is enabled", enabled.code == 0, enabled.text)
    checks.expect("no daemon runs yet", system.unit("edgemoed.service", "ActiveState") == "inactive")
    for which in ("first", "next"):
        check_stream(checks, f"the {which} connection starts the daemon, which answers",
                     system.run("edgemoe", "--wait", "60", *GREEDY, user="alice", timeout=90))
        gone = system.until(lambda: system.unit("edgemoed.service", "ActiveState") == "inactive", GONE_S)
        checks.expect(f"it ends when idle after the {which}", gone, system.journal(since=cursor))
        checks.expect(f"with success after the {which}", system.unit("edgemoed.service", "Result") == "success")
    refused = system.run("edgemoe", "models", user="bob")
    checks.expect("somebody else may not start it", refused.code == 77, f"{refused.code}\n{refused.text}")
    system.must("systemctl", "disable", "--now", "edgemoed.socket")
    set_model(system, INSTALLED_DEMO)
    system.must("systemctl", "enable", "--now", "edgemoed.service", timeout=100)
    check_stream(checks, "and the service is started as before",
                 system.run("edgemoe", "--wait", "60", *GREEDY, user="alice", timeout=90))


def second(system, checks):
    system.write("/etc/edgemoe/second.json",
                 f'{{"model": {{"path": "{INSTALLED_DEMO}"}}, "memory": {{"budget": "64MiB"}}}}\n')
    started = system.run("systemctl", "enable", "--now", "edgemoed@second", timeout=100)
    checks.expect("edgemoed@second starts", started.code == 0, started.text + system.journal("edgemoed@second"))
    check_stream(checks, "a second daemon streams", system.run("edgemoe", "-s", SECOND_SOCKET, "--wait", "60", *GREEDY,
                                                               user="alice", timeout=90))
    check_stream(checks, "beside the first", system.run("edgemoe", *GREEDY, user="alice"))
    system.must("systemctl", "disable", "--now", "edgemoed@second", timeout=100)


def of_a_user(system, checks):
    linger = system.run("loginctl", "enable-linger", "bob")
    uid = system.must("id", "-u", "bob").strip()
    runtime = f"/run/user/{uid}"
    if linger.code != 0 or not system.until(
            lambda: system.run("test", "-S", f"{runtime}/systemd/private").code == 0, 30):
        checks.skip("a daemon of a user", f"no user's manager starts here: {linger.text.strip()}")
        return
    words = ("env", "HOME=/home/bob", f"XDG_RUNTIME_DIR={runtime}")
    system.must("install", "-D", "-o", "bob", "-m", "644", "/srv/demo.gguf", "/home/bob/demo.gguf")
    system.write("/home/bob/.config/edgemoe/edgemoed.json", '{"model": {"path": "/home/bob/demo.gguf"}}\n')
    system.must("chown", "-R", "bob:bob", "/home/bob/.config")
    started = system.run(*words, "systemctl", "--user", "start", "edgemoed", user="bob", timeout=100)
    checks.expect("a user starts a daemon", started.code == 0,
                  started.text + system.shell("journalctl -q -o cat -n 20 _SYSTEMD_USER_UNIT=edgemoed.service").out)
    check_stream(checks, "whose socket that user's programs find",
                 system.run(*words, "edgemoe", "--wait", "60", *GREEDY, user="bob", timeout=90))
    stranger = system.run("edgemoe", "-s", f"{runtime}/edgemoe/edgemoed.sock", "models", user="alice")
    checks.expect("and nobody else", stranger.code == 77, f"{stranger.code}\n{stranger.text}")
    system.run(*words, "systemctl", "--user", "stop", "edgemoed", user="bob", timeout=100)
