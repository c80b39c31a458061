"""The harness keeps its promises."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from proteos import PATIENCE, System, Timeout, process, wait_for
from proteos.build import SOURCE
from proteos.load import Load

sys.path.append(str(SOURCE / "bench"))
from plain_server import PlainServer  # noqa: E402

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE / "python")}


def test_the_readmes_example_runs(tmp_path):
    text = (SOURCE / "python" / "README.md").read_text()
    example = re.search(r"```python\n(.*?)```", text, re.S).group(1)
    assert len(example.strip().splitlines()) <= 11
    (tmp_path / "test_example.py").write_text(example)
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-p", "proteos.pytest_plugin",
                           "-p", "no:cacheprovider", "-q", str(tmp_path)], text=True, timeout=PATIENCE,
                          env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_an_exception_takes_the_system_down(capsys):
    with pytest.raises(ZeroDivisionError):
        with System() as system:
            pids = list(system.processes())
            raise ZeroDivisionError
    assert not any(map(process.command, pids))
    assert "um.log" in capsys.readouterr().err


PROGRAM = """
import sys, time
from proteos import System
with System() as system:
    print(*system.processes(), flush=True)
    time.sleep(60)
"""


def test_sigterm_takes_the_system_down():
    program = subprocess.Popen(["/usr/bin/python3", "-c", PROGRAM], text=True, env=ENVIRONMENT,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    pids = [int(pid) for pid in program.stdout.readline().split()]
    assert len(pids) > 5
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=PATIENCE)
    assert program.returncode == 128 + signal.SIGTERM
    assert not any(map(process.command, pids))


def test_a_boot_that_does_not_end_is_reported_and_taken_down(manifest, tmp_path, capsys):
    manifest.wire(kind="stream", path=str(tmp_path / "wire.sock"), listen=True)
    manifest.data["wires"][0].pop("forward")
    manifest.data["timeouts_ms"]["start"] = 60_000
    system = System(manifest, boot_deadline=10)
    with pytest.raises(subprocess.TimeoutExpired):
        system.__enter__()  # nobody plugs the wire in
    report = capsys.readouterr().err
    for part in (f"proteos-loader {system.name} ", f"(busd {system.name} ", "pressure of io", "cpu0: "):
        assert part in report, report
    command = f"proteos-loader {system.name}"
    assert not [pid for pid in os.listdir("/proc")
                if pid.isdigit() and process.command(int(pid)).startswith(command)]


def test_waiting_ends_with_what_was_waited_for():
    with pytest.raises(Timeout, match="a miracle"):
        wait_for(lambda: False, "a miracle", deadline=0.01)


def test_a_leftover_process_is_noticed(system):
    """Processes that a shutdown leaves behind make the `with` fail; here the loader, stopped."""
    broken = System()
    broken.__enter__()
    os.kill(broken.instance().loader_pid, signal.SIGSTOP)
    broken.leave_s = 0.1
    broken.shutdown = lambda: broken._remember()
    with pytest.raises(Exception, match="still running"):
        broken.__exit__(None, None, None)


def test_the_load_client_notices_failures():
    with PlainServer() as url, Load(url, connections=2, streams=1) as load:
        load.wait_until_busy()
        assert load.finish()["failed"] == 0
    with Load(url, connections=1, streams=0) as load:  # nobody listens there any more
        wait_for(lambda: load.mark()["failed"] > 0, "a failure")


def test_the_load_client_notices_wrong_bytes(monkeypatch):
    import plain_server
    right = plain_server.body
    monkeypatch.setattr(plain_server, "body", lambda n: right(n)[:-1] + b"?" if n else b"")
    with PlainServer() as url, Load(url, connections=1, streams=0) as load:
        wait_for(lambda: load.mark()["wrong"] > 0, "a wrong byte")
