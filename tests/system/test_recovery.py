"""Heartbeats, and recovery of the state of a component that has crashed."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import struct
import tempfile
import time
import urllib.parse
from typing import Any, Iterator

import pytest

from proteos import PATIENCE, Manifest, System
from proteos.errors import CommandFailed

HEARTBEAT_MS = 3000  # long enough for a machine that has other work
STEADY_S = 1.1  # one that dies sooner after a recovery is started afresh, bus/lifecycle.c
ERESTARTED = -2002
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17

ADD, CHECK, BREAK, HOLD, LET_GO, CALL, ALARM, SHARE, RESIST = range(0xd00, 0xd09)
CRASH, HANG, POINTER, HEAP, FREE, PEER_CALL, LATER = range(7)
RESIST_REFUSE, RESIST_CRASH, RESIST_HANG = 1, 2, 3
FIELDS = ("total", "notes", "recoveries", "alarms", "lost", "version", "shared")


class Remote:
    """A component of the system that asks others on behalf of the test (tests/components/remote.c)."""

    def __init__(self, manifest: Manifest, name: str, directory: str, calls: list[str]):
        path = f"{directory}/{name}"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(PATIENCE)
        self.sock: Any = None
        manifest.add(name, file="remote", restart="never", calls=[{"to": to} for to in calls])
        manifest.data.setdefault("wires", []).append(
            {"name": f"remote-{name}", "kind": "stream", "to": name, "path": path})

    def begin(self, component: str, type: int, value: int = 0) -> None:
        """Has the component asked; the answer is to be fetched with end()."""
        if not self.sock:
            self.sock, _ = self.listener.accept()
            self.sock.settimeout(PATIENCE)
            self.lines = self.sock.makefile("r")
        self.sock.sendall(f"{component} {type:x} {value}\n".encode())

    def end(self) -> tuple[int, int, bytes]:
        """The bus's error, the answer's status, and its body."""
        error, status, body = self.lines.readline().split()
        return int(error), int(status), bytes.fromhex(body)

    def ask(self, component: str, type: int, value: int = 0) -> dict[str, int]:
        """Asks, insists on an answer, and takes its body apart."""
        self.begin(component, type, value)
        error, status, body = self.end()
        assert (error, status) == (0, 0)
        return dict(zip(FIELDS, struct.unpack("<Q6I", body[:32])))

    def error(self, component: str, type: int, value: int = 0) -> int:
        self.begin(component, type, value)
        error, _, _ = self.end()
        return error

    def close(self) -> None:
        for sock in (self.sock, self.listener):
            if sock:
                sock.close()


class Broken:
    """A system with a component to be broken, a peer of that, and two who ask."""

    def __init__(self, directory: str, start_ms: int = 20_000, **settings: Any):
        self.manifest = Manifest.empty(timeouts_ms={"start": start_ms})
        self.manifest.data["regions"] = [{"name": "shared", "bytes": 4096, "share": ["fragile"]}]
        self.manifest.add("peer")
        self.manifest.add("fragile", sends=["peer"], **settings)
        self.one = Remote(self.manifest, "one", directory, ["fragile", "peer"])
        self.two = Remote(self.manifest, "two", directory, ["fragile"])
        self.system = System(self.manifest)

    def __enter__(self) -> Broken:
        self.system.__enter__()
        return self

    def __exit__(self, *how: Any) -> None:
        try:
            self.system.__exit__(*how)
        finally:
            self.one.close()
            self.two.close()

    def ask(self, type: int, value: int = 0) -> dict[str, int]:
        return self.one.ask("fragile", type, value)

    def status(self) -> Any:
        return self.system.status()["fragile"]

    def log(self) -> str:
        return self.system.log("instance")

    def break_down(self, how: int) -> None:
        """Breaks it: whoever asked gets an error."""
        assert self.one.error("fragile", BREAK, how) == ERESTARTED

    def wait_for(self, restarts: int) -> Any:
        """Waits until it runs after so many restarts."""
        def running() -> Any:
            status = self.status()
            return status if (status.state, status.restarts) == ("running", restarts) else None

        return self.system.wait(running, f"restart {restarts}")


@pytest.fixture
def directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="proteos-remote-") as path:
        yield path


@pytest.fixture
def recovering(directory: str) -> Iterator[Broken]:
    with Broken(directory, recover="state") as broken:
        yield broken


# ---- heartbeats ----

@pytest.mark.parametrize("recover", ["none", "state"])
def test_one_that_hangs_is_restarted(directory, recover):
    with Broken(directory, heartbeat_ms=HEARTBEAT_MS, recover=recover) as broken:
        broken.ask(ADD, 5)
        broken.break_down(HANG)
        status = broken.wait_for(1)
        assert status.hung == 1
        assert status.recovered == (recover == "state")
        assert f"did not answer for {HEARTBEAT_MS} ms (heartbeat_ms)" in broken.log()
        assert broken.ask(CHECK)["total"] == (6 if recover == "state" else 0)


def test_one_that_is_stopped_while_idle_is_noticed(directory):
    with Broken(directory, heartbeat_ms=HEARTBEAT_MS) as broken:
        os.kill(broken.status().pid, signal.SIGSTOP)
        assert broken.wait_for(1).hung == 1


def test_heartbeat_lets_the_patient_wait(directory):
    """Who is idle, or waits for somebody else, lives on."""
    with Broken(directory, heartbeat_ms=HEARTBEAT_MS) as broken:
        pid = broken.status().pid
        time.sleep(2 * HEARTBEAT_MS / 1000)
        assert (broken.status().pid, broken.status().hung) == (pid, 0)


def test_a_traced_component_is_left_alone(directory):
    """A debugger may hold it as long as it likes."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    with Broken(directory, heartbeat_ms=HEARTBEAT_MS) as broken:
        pid = broken.status().pid
        if libc.ptrace(PTRACE_SEIZE, pid, None, None) < 0:
            pytest.skip(f"ptrace: {os.strerror(ctypes.get_errno())}")
        assert libc.ptrace(PTRACE_INTERRUPT, pid, None, None) == 0
        os.waitpid(pid, 0)
        time.sleep(2 * HEARTBEAT_MS / 1000)
        assert broken.status().hung == 0
        assert libc.ptrace(PTRACE_DETACH, pid, None, None) == 0
        assert broken.ask(ADD, 1)["total"] == 1
        assert (broken.status().pid, broken.status().hung) == (pid, 0)


# ---- recovery ----

def test_state_survives_a_kill(recovering):
    for amount in range(1, 100):
        recovering.ask(ADD, amount)
    recovering.system.kill("fragile")
    assert recovering.wait_for(1).recovered == 1
    assert recovering.ask(CHECK) == {"total": 4950, "notes": 99, "recoveries": 1, "alarms": 0,
                                     "lost": 0, "version": 1, "shared": 0}
    assert recovering.ask(ADD, 50)["total"] == 5000
    assert "fragile: recovered, incarnation 1" in recovering.system.log("fragile")
    recovering.system.wait(lambda: "fragile is started again, with its state"
                           in recovering.system.log("um"), "um to be told")


@pytest.mark.parametrize("how", [CRASH, FREE])
def test_state_survives_a_crash_in_a_handler(recovering, how):
    recovering.ask(ADD, 5)
    recovering.break_down(how)
    assert recovering.wait_for(1).recovered == 1
    answer = recovering.ask(CHECK)
    assert (answer["total"], answer["notes"]) == (6, 2)
    for amount in range(300):  # the allocator goes on
        answer = recovering.ask(ADD, 1)
    assert answer["total"] == 306


def test_who_waits_for_an_answer_gets_it_after_the_recovery(recovering):
    """Only the message that was being handled is lost; one that is held is answered."""
    recovering.two.begin("fragile", HOLD)
    recovering.system.wait(lambda: recovering.status().messages >= 1, "the request")
    recovering.break_down(CRASH)
    recovering.wait_for(1)
    recovering.ask(LET_GO)
    assert recovering.two.end()[:2] == (0, 0)


def test_its_own_calls_are_lost(recovering):
    recovering.ask(CALL)
    recovering.break_down(PEER_CALL)
    recovering.wait_for(1)
    recovering.system.wait(lambda: recovering.ask(CHECK)["lost"] == 2, "both calls to fail")


def test_alarms_stay(recovering):
    recovering.ask(ALARM, 300)
    recovering.break_down(CRASH)
    recovering.wait_for(1)
    recovering.system.wait(lambda: recovering.ask(CHECK)["alarms"] == 1, "the alarm")


def test_a_notification_that_was_being_handled_comes_again(recovering):
    recovering.ask(BREAK, LATER)
    recovering.wait_for(1)
    recovering.system.wait(lambda: recovering.ask(CHECK)["alarms"] == 1, "the alarm")


def test_shared_memory_stays(recovering):
    """What was written there, by the very message that was being handled too, and where it is."""
    recovering.ask(SHARE)
    assert recovering.ask(CHECK)["shared"] == 1
    recovering.break_down(CRASH)
    recovering.wait_for(1)
    assert recovering.ask(CHECK)["shared"] == 3
    assert recovering.status().restarts == 1


@pytest.mark.parametrize("how, reason", [
    (POINTER, "`wild`"),
    (HEAP, "the state that the process has left cannot be used"),
])
def test_broken_state_is_refused(recovering, how, reason):
    recovering.ask(ADD, 5)
    recovering.break_down(how)
    status = recovering.wait_for(2)
    assert status.recovered == 0
    assert "fragile cannot be recovered: " in recovering.log() and reason in recovering.log()
    assert "fragile: start 1" in recovering.system.log("fragile")  # SYS_START_RESTART
    assert recovering.ask(CHECK)["total"] == 0


@pytest.mark.parametrize("how, reason", [
    (RESIST_REFUSE, "its recover handler refused (-5)"),
    (RESIST_CRASH, "recovering) was killed by signal 11"),
    (RESIST_HANG, "was not ready in time (timeouts_ms: start)"),
])
def test_failing_handler_leads_to_a_restart(directory, how, reason):
    start_ms = 8000 if how == RESIST_HANG else 20_000
    with Broken(directory, start_ms, recover="state") as broken:
        broken.ask(RESIST, how)
        broken.two.begin("fragile", HOLD)
        broken.system.wait(lambda: broken.status().messages >= 2, "the request")
        broken.system.kill("fragile")
        assert broken.wait_for(2).recovered == 0
        assert broken.two.end()[0] == ERESTARTED
        assert reason in broken.log()
        assert broken.ask(CHECK)["total"] == 0


def test_the_same_state_is_not_tried_twice(recovering):
    """One that dies soon after its recovery is started afresh. How soon it died here is for the bus
    to say: where that was not soon enough, it is tried again."""
    restarts = 0
    while recovering.status().recovered == restarts:
        assert restarts < 50, "it is recovered again and again"
        recovering.ask(ADD, 5)
        recovering.break_down(CRASH)
        restarts += 1
        recovering.wait_for(restarts)
    assert restarts > 1
    assert recovering.ask(CHECK)["total"] == 0


def test_updated_one_is_recovered_and_recovered_one_is_updated(recovering):
    recovering.ask(ADD, 5)
    recovering.system.update("fragile", "/bin/fragile.new")
    recovering.ask(ADD, 6)
    recovering.break_down(CRASH)
    assert recovering.wait_for(1).recovered == 1
    answer = recovering.ask(CHECK)
    assert (answer["total"], answer["version"]) == (12, 2)
    recovering.system.update("fragile", "/bin/fragile")
    answer = recovering.ask(CHECK)
    assert (answer["total"], answer["version"]) == (12, 1)
    time.sleep(STEADY_S)
    recovering.break_down(CRASH)
    assert recovering.wait_for(2).recovered == 2
    assert recovering.ask(CHECK)["total"] == 13


def test_crash_during_an_update(recovering):
    """The update is rolled back, and the old version's state recovered."""
    recovering.ask(ADD, 5)
    update = recovering.system.start_prctl("update", "fragile", "/bin/fragile.new", "-state",
                                           "total == 4711", "-timeout", "60000")
    recovering.system.wait(lambda: recovering.status().state == "converging", "convergence")
    recovering.system.kill("fragile")
    output, _ = update.communicate(timeout=PATIENCE)
    assert update.returncode != 0, output
    assert recovering.wait_for(1).recovered == 1
    assert recovering.ask(CHECK)["total"] == 5
    recovering.system.update("fragile", "/bin/fragile.new")
    assert recovering.ask(CHECK)["total"] == 5


def test_an_updated_bus_recovers_and_keeps_time(directory):
    """What busd keeps of a component, and when it looks after it, is state of its own."""
    with Broken(directory, recover="state", heartbeat_ms=HEARTBEAT_MS) as broken:
        broken.ask(ADD, 5)
        broken.system.update("busd", "self")
        broken.break_down(HANG)
        status = broken.wait_for(1)
        assert (status.hung, status.recovered) == (1, 1)
        assert broken.ask(CHECK)["total"] == 6


@pytest.mark.root
def test_nothing_is_left_over(recovering):
    """Descriptors and processes after eight recoveries are those after the first."""
    def counted() -> Any:
        system = recovering.system
        return (len(os.listdir(f"/proc/{system.instance().busd_pid}/fd")),
                recovering.status().descriptors, len(system.processes()))

    before = None
    for restarts in range(1, 10):
        time.sleep(STEADY_S)
        recovering.ask(ADD, 1)
        recovering.break_down(CRASH)
        recovering.wait_for(restarts)
        before = before or counted()
    assert recovering.status().recovered == 9
    assert recovering.ask(CHECK)["total"] == 18
    # busd closes control connections in its own time
    recovering.system.wait(lambda: counted() == before, f"{counted()} to become {before}")


def test_plain_program_cannot_be_recovered(directory):
    broken = Broken(directory, recover="state")
    broken.manifest.component("one")["recover"] = "state"
    broken.manifest.component("one")["restart"] = "always"
    with pytest.raises(CommandFailed, match="recover: state is for components with an event loop"):
        with broken:
            pass


def test_a_connection_survives_the_death_of_net():
    """The TCP stack is a state library: a client does not even see that its process was killed."""
    manifest = Manifest()
    manifest.component("net")["recover"] = "state"
    with System(manifest) as system:
        url = urllib.parse.urlparse(system.url())
        with contextlib.closing(http.client.HTTPConnection(url.netloc, timeout=PATIENCE)) as client:
            client.connect()
            before = client.sock
            for recovered in range(3):
                client.request("GET", "/")
                assert client.getresponse().read()
                system.kill("net")
                system.wait(lambda: system.status()["net"].recovered == recovered + 1, "recovery")
                time.sleep(STEADY_S)
            client.request("GET", "/")
            assert client.getresponse().read()
            assert client.sock is before
