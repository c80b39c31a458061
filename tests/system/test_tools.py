"""Looking into a running system: trace, log, and status for programs."""

from __future__ import annotations

import json
import re
import select
import subprocess

import pytest

from proteos import PATIENCE, Manifest, System
from proteos.build import SOURCE

LOG_MAX_BYTES = 1 << 20  # a log and its predecessor have this much each (bus/log.h)


def fetch(system: System) -> None:
    subprocess.run(["curl", "-sf", "-o", "/dev/null", system.url("/bytes/10")], check=True)


class Trace:
    """A running prctl trace, by lines."""

    def __init__(self, system: System, *arguments: str):
        self.system = system
        self.prctl = system.start_prctl("trace", *arguments)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.prctl.terminate()
        self.prctl.communicate(timeout=PATIENCE)

    def line(self) -> str:
        """The next line; requests are made until there is one."""
        def ready() -> bool:
            fetch(self.system)
            return bool(select.select([self.prctl.stdout], [], [], 0.1)[0])

        self.system.wait(ready, "a line of the trace")
        return self.prctl.stdout.readline()


def test_trace_prints_names_fields_tokens_and_times(system):
    with Trace(system, "-e", "net:SEND") as trace:
        for _ in range(5):
            line = trace.line()
            assert re.match(r" *\d+\.\d{6} \S+ > \S+ ", line), line
            assert "SOCK_SEND" in line and "token=" in line
            assert re.search(r"\b(handle|taken)=\d+", line), line


def test_trace_of_one_component_shows_no_other(system):
    with Trace(system, "-e", "e1000") as trace:
        for _ in range(20):
            assert "e1000" in trace.line().split()[1:4]


def test_every_message_of_the_bus_has_a_name():
    """All that bus/abi.h numbers are in the table that prctl trace prints from."""
    numbered = re.findall(r"^  ((?:KERN|UM|BUS_CTL)_[A-Z_]+) = 0x",
                          (SOURCE / "bus" / "abi.h").read_text(), re.MULTILINE)
    named = re.findall(r"^    {([A-Z_]+), \"", (SOURCE / "cli" / "system_messages.c").read_text(),
                       re.MULTILINE)
    assert len(numbered) > 30
    assert set(numbered) - set(named) == set()


def test_tracing_does_not_disturb(system, load):
    """Nobody reads this trace: messages are left out of it rather than delayed."""
    with Trace(system):
        system.update("net", "/bin/net.new")
        load.mark()
        load.wait_until_busy()


def test_a_log_spans_versions(system):
    old = system.status()["httpd"].build_id
    system.update("httpd", "/bin/httpd.new")
    new = system.status()["httpd"].build_id
    output = system.prctl("log", "httpd")
    assert old != new
    assert 0 <= output.index(old) < output.index(new)


def test_log_of_an_unknown_component(system):
    done = system.try_prctl("log", "no-such")
    assert done.returncode != 0
    assert len(done.stdout.splitlines()) == 1 and "no-such" in done.stdout


def test_logs_are_bounded(boot):
    """A component that logs a line a call, more than two logs can hold."""
    rounds = 3 * LOG_MAX_BYTES // len("bench-caller: round 12345.6\n")
    manifest = Manifest.empty().add("echo", "bench-echo")
    manifest.add("caller", "bench-caller", args=[str(rounds), "1"], calls=[{"to": "echo"}])
    system = boot(manifest)
    system.wait(lambda: system.log("caller").endswith("done\n"), "the last line")
    sizes = [path.stat().st_size for path in (system.runtime / "log").glob("caller.log*")]
    assert len(sizes) == 2
    assert sum(sizes) <= 2 * LOG_MAX_BYTES
    assert all(size > 0 for size in sizes)


def test_status_for_programs(system):
    told = json.loads(system.prctl("status", "--json"))
    status = system.status()
    assert told["instance"] == system.name
    assert {c["name"]: c["pid"] for c in told["components"]} == \
        {name: c.pid for name, c in status.items()}


@pytest.mark.parametrize("signum", ["SIGKILL", "9", "KILL"])
def test_prctl_kill(system, signum):
    system.prctl("kill", "httpd", signum)
    system.wait_for_restart("httpd")
