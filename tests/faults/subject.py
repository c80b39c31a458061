"""What the fault experiments are made on: a ledger, a teller that keeps it and checks every answer,
and um; and what must be true of them after whatever has happened."""

from __future__ import annotations

import array
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from proteos import PATIENCE, Manifest, System, process  # noqa: E402
from proteos.build import COMPONENTS as FOLDER  # noqa: E402
from proteos.control import REPLY_MAX_BYTES, ask, pb  # noqa: E402
from proteos.errors import ProteosError  # noqa: E402

REPORT = re.compile(r"answers (\d+) wrong (\d+) losses (\d+)")
TAIL_BYTES = 4096
BROKEN = -(1 << 20)
UNDISTURBED_MS = 15_000  # for each phase of an update without a fault, on a machine with other work
COMPONENTS = ["ledger", "teller", "um"]
FILTERS = {"ledger": "count < 100000", "teller": "wrong == 0"}
TIMEOUTS_MS = {"start": 5000, "load": 3000, "converge": 1500, "transfer": 1500}


class Violation(Exception):
    """Something that must hold does not."""


def manifest() -> Manifest:
    m = Manifest.empty()
    m.data["timeouts_ms"] = {**m.data.get("timeouts_ms", {}), **TIMEOUTS_MS}
    m.add("ledger", restart="always")
    m.add("teller", restart="always", calls=[{"to": "ledger"}])
    return m


@dataclass
class View:
    """The instance between two cases."""
    status: dict[str, Any]
    busd: int
    descriptors: dict[str, int]
    losses: int


@dataclass
class Outcome:
    """How an update ended."""
    done: bool
    broken: bool  # the connection ended without an answer
    text: str


class Update:
    """An update that was asked for, over a connection of its own.

    limit_ms      of each phase; 0: the manifest's
    probation_ms  0: none"""

    def __init__(self, system: System, files: dict[str, str], limit_ms: int, probation_ms: int):
        request = pb.UpdateRequest(action=pb.UpdateRequest.NOW, load_timeout_ms=limit_ms,
                                   converge_timeout_ms=limit_ms, transfer_timeout_ms=limit_ms,
                                   probation_ms=probation_ms)
        fds = []
        for member, file in files.items():
            request.members.add(component=member, path=f"/bin/{file}", filter=FILTERS.get(member, ""))
            fds.append(os.open(FOLDER / file, os.O_RDONLY | os.O_CLOEXEC))
        self.text = ""
        self.result: int | None = None
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection.settimeout(PATIENCE)
        self.connection.connect(str(system.socket))
        try:
            packed = pb.ControlRequest(update=request).SerializeToString()
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))
            self.connection.sendmsg([packed], [rights])
        finally:
            for fd in fds:
                os.close(fd)

    def outcome(self, seconds: float) -> Outcome:
        """Waits for the end; raises TimeoutExpired. A connection that breaks is an end too."""
        end = time.monotonic() + seconds
        while self.result is None:
            self.connection.settimeout(max(0.001, end - time.monotonic()))
            try:
                packet = self.connection.recv(REPLY_MAX_BYTES)
            except TimeoutError:
                raise subprocess.TimeoutExpired("update", seconds) from None
            except OSError:
                packet = b""
            reply = pb.ControlReply.FromString(packet) if packet else None
            if reply:
                self.text += reply.text + "\n"
            if not reply or reply.last:
                self.result = reply.status if reply else BROKEN
        self.connection.close()
        return Outcome(self.result == 0, self.result == BROKEN, self.text)


@dataclass
class Subject:
    """A running instance. `damaged` names the components that a fault may have cost their state."""
    system: System
    components: list[str] = field(default_factory=lambda: COMPONENTS)
    damaged: set[str] = field(default_factory=set)
    held: dict[str, process.Process] = field(default_factory=dict)  # who was live between two cases

    def __post_init__(self) -> None:
        self.hold("loader", self.system.instance().loader_pid)
        self.begin = self.settle()
        self.descriptors = self.begin.descriptors

    def leave(self) -> None:
        """Lets go of the processes, before or after their end."""
        for found in self.held.values():
            found.close()
        self.held.clear()

    def hold(self, party: str, pid: int) -> None:
        if party in self.held and self.held[party].pid == pid and self.held[party].alive():
            return
        if party in self.held:
            self.held.pop(party).close()
        found = process.Process.open(pid)
        if not found:
            raise Violation(f"{party} has ended")
        self.held[party] = found

    @contextmanager
    def everybody(self) -> Iterator[list[process.Process]]:
        """The instance's processes, held by pidfd while the body runs."""
        found = [p for p in map(process.Process.open, self.system.processes()) if p]
        try:
            yield found
        finally:
            for one in found:
                one.close()

    # -- looking -----------------------------------------------------------------------------

    def report(self) -> tuple[int, int, int]:
        """The teller's last: answers, wrong ones, losses."""
        path = self.system.runtime / "log" / "teller.log"
        with path.open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - TAIL_BYTES))
            found = REPORT.findall(log.read().decode(errors="replace"))
        return tuple(map(int, found[-1])) if found else (0, 0, 0)  # type: ignore[return-value]

    def ended(self) -> bool:
        return not self.held["loader"].alive()

    def answers_status(self) -> bool:
        try:
            self.system.instance()
            return True
        except (OSError, ProteosError):
            return False

    def forgets(self, pid: int) -> None:
        """Waits until busd knows that a process has ended, or the instance has."""
        def known() -> bool:
            return (not self.answers_status()
                    or pid not in {c.pid for c in self.system.status().values()})

        self.wait(known, f"the end of process {pid}")

    def ends(self) -> bool:
        """Whether the instance has ended or does so soon."""
        try:
            self.wait(self.ended, "its end", 20)
        except Violation:
            return False
        return True

    def of_components(self) -> dict[str, int]:
        """Descriptors by component, and busd's and the loader's where they can be counted."""
        found = {name: c.descriptors for name, c in self.system.status().items()}
        time.sleep(0.002)  # busd has yet to close the connection that this was asked over
        for party in ("loader", "busd"):
            try:
                found[party] = process.descriptors(self.held[party].pid)
            except (PermissionError, FileNotFoundError):
                pass
        return found

    def on_probation(self) -> bool:
        """Whether old versions are kept; also when nobody can say."""
        try:
            return len(self.system.processes()) > 2 + len(self.components) \
                or any(c.state != "running" for c in self.system.status().values())
        except (OSError, ProteosError):
            return True

    def answers_come(self, seconds: float = 10.0) -> None:
        """Waits for answers that were asked for after now."""
        first = self.report()[0]

        def more() -> bool:
            now = self.report()[0]
            return now > first + 4 or 0 < now < first  # it was restarted, and counts anew

        self.wait(more, "answers to the teller", seconds)

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Violation(f"waited {seconds} s for {what}")
            time.sleep(0.005)

    def settle(self) -> View:
        """Waits until everything runs and is answered, and nothing is left of what was before."""
        expected = 2 + len(self.components)

        def settled() -> bool:
            status = self.system.status()
            return (all(c.state == "running" for c in status.values())
                    and len(self.system.processes()) == expected)

        def whole() -> str:
            status = {n: c.state for n, c in self.system.status().items()}
            return f"{expected} processes that run; there are {status}, {self.system.processes()}"

        try:
            self.wait(settled, "")
        except Violation:
            raise Violation("waited for " + whole()) from None
        self.answers_come()
        wrong = self.report()[1]
        if wrong:
            raise Violation(f"{wrong} answers were wrong")
        status, busd = self.system.status(), self.system.instance().busd_pid
        for name in self.components:
            self.hold(name, status[name].pid)
        self.hold("busd", busd)
        return View(status, busd, self.of_components(), self.report()[2])

    # -- acting ------------------------------------------------------------------------------

    def file(self, member: str) -> str:
        """A version of it that does not run now."""
        if member == "ledger" and self.system.status()["ledger"].path.endswith("/ledger"):
            return "ledger.new"
        return member

    def start_update(self, members: list[str], limit_ms: int = 0, probation_ms: int = 0) -> Update:
        """Starts an update in one transaction."""
        return Update(self.system, {m: self.file(m) for m in members}, limit_ms, probation_ms)

    def update(self, members: list[str], probation_ms: int = 0) -> Outcome:
        return self.start_update(members, UNDISTURBED_MS, probation_ms).outcome(60)

    def order(self, party: str, point: str, action: str, nth: int = 1, value: int | None = None) -> None:
        extra = [] if value is None else ["-value", str(value)]
        self.system.prctl("fault", party, point, action, "-nth", str(nth), *extra)

    def clear(self) -> None:
        self.system.prctl("fault", "--clear")

    def faults(self, deadline: float = 30.0) -> Any:
        request = pb.ControlRequest(fault=pb.FaultRequest(command=pb.FaultRequest.LIST))
        return ask(self.system.socket, request, deadline).faults

    @contextmanager
    def processes_of(self, party: str) -> Iterator[list[process.Process]]:
        """A party's live process, now and as it was when the case began."""
        pids = []
        if party in ("busd", "busd.next"):  # which of two is busd may just have changed
            pids = [pid for pid, command in self.system.processes().items()
                    if command.startswith("busd ")]
        elif party in self.components:
            try:
                pids = [self.system.status()[party].pid]
            except (ProteosError, OSError):
                pass
        now = [found for pid in pids if pid and (found := process.Process.open(pid))]
        try:
            yield now + ([self.held[party]] if party in ("loader", *self.components) else [])
        finally:
            for found in now:
                found.close()

    def signal(self, party: str, signum: int) -> None:
        with self.processes_of(party) as found:
            for one in found:
                one.send(signum)

    # -- judging -----------------------------------------------------------------------------

    def judge(self, members: list[str], outcome: Outcome, on_probation: bool = False) -> None:
        """All new or all old; nobody restarted and no answer lost but where there was damage.

        on_probation  the new versions may have been taken back since they were said to be live"""
        before, after = self.begin, self.settle()
        updated, restarted = set(), set()
        for name in self.components:
            old, new = before.status[name], after.status[name]
            if new.restarts != old.restarts:
                restarted.add(name)
            elif new.updates != old.updates:
                updated.add(name)
            elif new.pid != old.pid:
                raise Violation(f"{name} has another process")
        if restarted - self.damaged:
            raise Violation(f"{restarted - self.damaged} restarted")
        if "ledger" not in restarted and "teller" not in restarted and after.losses != before.losses:
            raise Violation("requests failed, but the ledger was not restarted")
        if after.busd != before.busd:
            updated.add("busd")
        whole = set(members) - restarted
        if updated not in (set(), whole):
            raise Violation(f"only {updated} of {whole} are new")
        if outcome.done and updated != whole and not on_probation:
            raise Violation("prctl says that the update is done, but the old versions run")
        for claim in ("Rolled back", "old versions go on", "old version goes on"):
            if claim in outcome.text and updated:
                raise Violation(f"it says '{claim}', but new versions run:\n{outcome.text}")
        self.wait(lambda: self.of_components() == self.descriptors,
                  f"descriptors {self.descriptors}; there are {self.of_components()}")
        self.begin = after
        self.damaged = set()

    def next_update_works(self, members: list[str]) -> None:
        outcome = self.update(members)
        if not outcome.done:
            raise Violation("the next update failed:\n" + outcome.text)
        self.judge(members, outcome)

    def nothing_is_left(self, everybody: list[process.Process], says: str) -> None:
        """After the end of the instance, of which a line in its log tells."""
        self.wait(lambda: not any(one.alive() for one in everybody), "the end of every process")
        log = (self.system.runtime / "log" / "instance.log").read_text(errors="replace")
        if says not in log:
            raise Violation(f"the instance's log does not say '{says}':\n{log[-2000:]}")


def boot() -> System:
    return System(manifest(), faults=True)

