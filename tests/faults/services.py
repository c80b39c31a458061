"""Faults in what busd does for programs, memory, scheduling and consoles. A round uses all of it, step by
step; a fault at one of its points may fail that step, and nothing else."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import Any

import subject
from cases import Case, Experiment, Kind, cases_of
from proteos import PATIENCE, ProteosError, System
from proteos.control import REPLY_MAX_BYTES, pb
from subject import Outcome, Subject, Violation

sys.path.append(str(Path(__file__).resolve().parents[1] / "system"))

from spawner import Spawner  # noqa: E402
from stage import ACTOR, START, Actor, Stage  # noqa: E402

SEGMENT_MAKE, SEGMENT_SHARE, SEGMENT_DROP, SEGMENT_OPEN = 0x50, 0x51, 0x52, 0x54
TASKS, PRIORITY, PREEMPT, PLACE = range(0x58, 0x5C)
TASK = "<iIQQQiIII32s"
PAGE, READ_WRITE = 4096, 3
BUSY = -16
PARTIES = ("busd", "loader")  # others have updates for it
SERVICES = Kind("services", ())


class Services:
    """A stage with one who has all rights, one to whom it is done, and the programs."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.keeper = stage.actor("keeper")
        self.guest = stage.actor("guest")
        self.spawner = Spawner(self.keeper)
        self.errors: list[int] = []

    def round(self) -> list[int]:
        """@return the errors of its steps"""
        self.errors = []
        self.programs()
        self.memory()
        self.schedule()
        self.console()
        return self.errors

    def good(self, error: int) -> bool:
        if error:
            self.errors.append(error)
        return not error

    def kernel(self, type: int, *fields: int, by: Actor | None = None) -> Any:
        answer = (by or self.keeper).kernel(type, *fields)
        return answer if self.good(answer.error) else None

    def programs(self) -> None:
        taken = self.spawner.take(ACTOR, "one")
        if not self.good(taken.error):
            return
        place = taken[0], taken[1]
        if self.kernel(START, *place):
            self.stage.actor("one").begin("exit 0")
            self.spawner.ended()
            self.good(self.spawner.reap(place))

    def memory(self) -> None:
        made = self.kernel(SEGMENT_MAKE, PAGE, 0)
        if made:
            guest = self.guest_task()[0]
            self.kernel(SEGMENT_SHARE, made[0], guest, READ_WRITE)
            self.kernel(SEGMENT_OPEN, made[0], by=self.guest)
            self.kernel(SEGMENT_DROP, made[0])

    def guest_task(self) -> tuple[Any, ...]:
        tasks = struct.iter_unpack(TASK, self.keeper.kernel(TASKS).payload)
        return next(task for task in tasks if task[9].rstrip(b"\0") == b"guest")

    def schedule(self) -> None:
        endpoint, incarnation, _, cpus, *_ = self.guest_task()
        for type, values in ((PRIORITY, ((3,), (4,))), (PREEMPT, ((1000,), (0,))),
                             (PLACE, ((cpus & 0x7fffffff, 0), (0, 0)))):
            for value in values:
                self.kernel(type, endpoint, incarnation, *value)

    def console(self) -> None:
        while (error := self.show_console()) == BUSY:
            pass  # busd has yet to hear that the last one is gone
        self.good(error)

    def show_console(self) -> int:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            control.settimeout(PATIENCE)
            control.connect(str(self.stage.system.socket))
            request = pb.ControlRequest(console=pb.ConsoleRequest())
            control.send(request.SerializeToString())
            packet, fds, _, _ = socket.recv_fds(control, REPLY_MAX_BYTES, 2)
            for fd in fds:
                os.close(fd)
            if not packet:
                raise ProteosError("the instance closed the control connection")
            return int(pb.ControlReply.FromString(packet).status)


class Round:
    """A round that runs by itself, to be followed like an update."""

    def __init__(self, services: Services, pool: ThreadPoolExecutor):
        self.future: Future[list[int]] = pool.submit(services.round)

    def outcome(self, limit: float) -> Outcome:
        try:
            errors = self.future.result(limit)
        except NotYet:
            if not self.future.done():
                raise subprocess.TimeoutExpired("a round", limit) from None
            return Outcome(False, True, "no answer")
        except (AssertionError, OSError, ProteosError) as problem:
            return Outcome(False, True, str(problem))
        return Outcome(not errors, False, ", ".join(os.strerror(-e) for e in errors))


class ServiceExperiment(Experiment):
    components = [*subject.COMPONENTS, "director", "keeper", "guest"]

    def __init__(self, seed: int, verbose: bool = False):
        super().__init__(seed, verbose)
        self.pool = ThreadPoolExecutor(1)
        self.errno: dict[str, int] = {}  # with which a point may fail

    def boot(self) -> System:
        self.stage = Stage(subject.manifest(), faults=True)
        self.stage.add("keeper", kernel=["processes", "memory", "schedule"])
        self.stage.add("guest", calls=["keeper"])
        self.stage.programs(by="keeper", at_most=2)
        self.stage.manifest.data["wires"].append({"name": "screen", "kind": "console", "to": "guest"})
        self.stage.__enter__()
        self.services = Services(self.stage)
        if self.services.round():  # from now on a place's log is open
            raise Violation(f"without a fault: {self.services.errors}")
        return self.stage.system

    def end(self, system: System) -> None:
        self.stage.__exit__(None, None, None)

    def all_cases(self, hits_max: int = 3) -> list[Case]:
        found = self.enter()
        found.clear()
        if self.services.round():
            raise Violation(f"without a fault: {self.services.errors}")
        found.wait(lambda: "console.return" in {h.point for h in found.faults().hits},
                   "the console's return")
        hits = [hit for hit in found.faults().hits if hit.party in PARTIES]
        found.clear()
        self.errno = {hit.point: hit.error for hit in hits}
        return list(cases_of({SERVICES: hits}, hits_max))

    def start(self, found: Subject, case: Case) -> Any:
        return Round(self.services, self.pool)

    def expect_recovery(self, found: Subject, case: Case, outcome: Outcome) -> None:
        fired = self.has_fired(found, case)
        found.clear()
        fails = fired and case.action == "error"
        wanted = os.strerror(self.errno[case.point]) if fails else ""
        if outcome.text != wanted:
            raise Violation(f"the steps' errors are '{outcome.text}', not '{wanted}'")
        found.judge([], outcome)
        errors = self.services.round()
        if errors or self.services.spawner.places():
            raise Violation(f"the next round: {errors}, {self.services.spawner.places()}")
        found.judge([], outcome)
        self.counts["faults that happened"] += fired
