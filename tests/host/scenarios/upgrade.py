# SPDX-License-Identifier: Apache-2.0
"""A package that is installed again while streams run: what runs is finished, what waits is answered by the new one."""

from setting import GREEDY, PACKAGES_IN_ROOT, PROMPT, check_stream

TOKENS = 90
CLIENTS = 3
# Reads take so long that an answer takes some seconds.
START = "/usr/bin/edgemoed --config /etc/edgemoe/edgemoed.json --allow-groups edgemoe"
SLOW = f"[Service]\nExecStart=\nExecStart={START} --expert-budget 6MiB --io-faults slow:ms=25\n"


def run(setting, suite, checks):
    with setting.serving(suite) as system:
        system.drop_in(SLOW)
        system.must("systemctl", "restart", "edgemoed", timeout=100)
        pid = system.unit("edgemoed", "MainPID")
        cursor = system.journal_cursor()
        ask = ["edgemoe", "--wait", "90", "complete", "-t", "0", "-n", str(TOKENS), "--ignore-end", PROMPT]
        running = [system.start(*ask, user="alice") for _ in range(CLIENTS)]
        checks.expect("streams run", system.until(lambda: _running(system) == CLIENTS, 30))
        upgrade = system.start("sh", "-c", "apt-get install -y --reinstall --allow-downgrades "
                               f"{PACKAGES_IN_ROOT}/edgemoed_*.deb")
        checks.expect("the upgrade stops the old daemon while they run",
                      system.until(lambda: system.unit("edgemoed", "ActiveState") == "deactivating", 60),
                      system.journal(since=cursor))
        late = system.start("edgemoe", "--wait", "120", *GREEDY, user="alice")
        texts = set()
        for number, child in enumerate(running, 1):
            answer = system.finish(child, 150)
            texts.add(answer.out)
            checks.expect(f"stream {number} that ran is finished", answer.code == 0, f"{answer.code}\n{answer.text}")
        checks.expect("with all its text", len(texts) == 1 and len(texts.pop().split()) > TOKENS / 2, texts)
        checks.contains("because the old daemon drained", system.journal(since=cursor), "every request has finished")
        check_stream(checks, "who asked meanwhile is answered by the new daemon", system.finish(late, 150))
        done = system.finish(upgrade, 200)
        checks.expect("the upgrade succeeds", done.code == 0, done.text)
        checks.expect("a new daemon serves", system.is_active() and system.unit("edgemoed", "MainPID") != pid)


def _running(system):
    return system.run("edgemoe", "--json", "ps").out.count('REQUEST_STATE_RUNNING')
