"""Every fault at every fault point that an update comes to, and faults at random moments."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Iterator

from proteos import ProteosError, System, process

from subject import COMPONENTS, Outcome, Subject, Violation, boot

ACTIONS = ["crash", "kill", "stop", "hang", "delay", "error"]
DELAY_MS = 40
NTH_MAX = 3         # of the hits of a point in one update: so many first ones, and the last
PATIENCE = 0.7      # s that a party may be stopped, before the experiment does what a heartbeat does
CASES_PER_BOOT = 60


@dataclass(frozen=True)
class Kind:
    """A kind of update: what is updated, and what is ordered so that it takes a certain course."""
    name: str
    members: tuple[str, ...]
    course: tuple[tuple[str, str, str], ...] = ()


EVERYTHING = tuple(COMPONENTS)
KINDS = [
    Kind("one", ("ledger",)),
    Kind("several", ("teller", "ledger")),
    Kind("everything", EVERYTHING),
    Kind("rolled back", ("teller", "ledger"), (("ledger.next", "import.run", "error"),)),
    Kind("refused", EVERYTHING, (("loader", "loader.decide", "error"),)),
]


@dataclass(frozen=True)
class Case:
    kind: Kind
    party: str
    point: str
    action: str
    nth: int = 1

    def __str__(self) -> str:
        nth = f" (hit {self.nth})" if self.nth > 1 else ""
        return f"{self.kind.name}: {self.action} {self.party} at {self.point}{nth}"

    @property
    def ends_instance(self) -> bool:
        """busd and the loader are not replaced here."""
        return self.party in ("busd", "loader") and self.action not in ("delay", "error")

    @property
    def damages(self) -> set[str]:
        """Who may be restarted: a version that was live when it died, or when the fault had it die."""
        fatal = self.action in ("crash", "kill", "stop", "hang")
        after_commit = self.point == "commit.descriptors"
        return {self.party} & set(COMPONENTS) if fatal or after_commit else set()


def record(subject: Subject) -> dict[Kind, list[Any]]:
    """One undisturbed update of each kind, twice, as versions alternate. @return what was hit"""
    found: dict[Kind, list[Any]] = {}
    for kind in KINDS:
        hits: dict[tuple[str, str], Any] = {}
        for _ in range(2):
            subject.clear()
            for party, point, action in kind.course:
                subject.order(party, point, action)
            outcome = subject.update(list(kind.members))
            subject.judge(list(kind.members), outcome)
            if outcome.done == bool(kind.course):
                raise Violation(f"{kind.name}: {outcome.text}")
            for hit in subject.faults().hits:
                known = hits.get((hit.party, hit.point))
                if not known or known.count < hit.count:
                    hits[hit.party, hit.point] = hit
            if kind.course:
                subject.next_update_works(list(kind.members))
        found[kind] = list(hits.values())
    subject.clear()
    return found


def cases_of(found: dict[Kind, list[Any]]) -> Iterator[Case]:
    for kind, hits in found.items():
        ordered = {(party, point) for party, point, _ in kind.course}
        for hit in hits:
            if (hit.party, hit.point) in ordered:
                continue
            for nth in sorted({*range(1, min(hit.count, NTH_MAX) + 1), hit.count}):
                for action in ACTIONS:
                    if action != "error" or hit.error:
                        yield Case(kind, hit.party, hit.point, action, nth)


class Experiment:
    """Runs cases, several on one instance as long as it lives."""

    def __init__(self, seed: int, verbose: bool = False):
        self.random = random.Random(seed)
        self.verbose = verbose
        self.system: System | None = None
        self.subject: Subject | None = None
        self.on_this_boot = 0
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.hit: set[str] = set()

    def __enter__(self) -> Experiment:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.leave()

    def enter(self) -> Subject:
        if self.subject and self.on_this_boot >= CASES_PER_BOOT:
            self.leave()
        if not self.subject:
            self.system = boot()
            self.system.__enter__()
            self.subject = Subject(self.system)
            self.counts["boots"] += 1
        self.on_this_boot += 1
        return self.subject

    def leave(self) -> None:
        system, self.system, self.subject, self.on_this_boot = self.system, None, None, 0
        if system:
            system.__exit__(None, None, None)

    def run(self, case: Any, perform: Any) -> None:
        self.counts["cases"] += 1
        begin = time.monotonic()
        try:
            subject = self.enter()
            perform(subject, case)
        except (Violation, ProteosError, OSError, subprocess.TimeoutExpired) as problem:
            self.fail(case, problem)
        if self.verbose:
            print(f"{time.monotonic() - begin:6.2f} s  {case}", flush=True)

    def fail(self, case: Any, problem: Exception) -> None:
        text = f"{case}: {problem}"
        if not isinstance(problem, Violation):
            text += "\n" + traceback.format_exc()
        if self.system:
            text += "\n" + self.system.logs()
        self.failures.append(text)
        print(f"FAILED {text}", file=sys.stderr, flush=True)
        try:
            self.leave()
        except ProteosError as left:
            print(f"and: {left}", file=sys.stderr)

    # -- one case ----------------------------------------------------------------------------

    def perform(self, subject: Subject, case: Case) -> None:
        members = list(case.kind.members)
        subject.damaged = case.damages
        pids = list(subject.system.processes())
        subject.clear()
        for party, point, action in case.kind.course:
            subject.order(party, point, action)
        subject.order(case.party, case.point, case.action, case.nth,
                      DELAY_MS if case.action == "delay" else None)
        try:
            prctl = subject.start_update(members)
        except ProteosError as refused:  # of mupdate
            if not (case.damages or case.ends_instance or case.action == "error"):
                raise
            prctl = None
            outcome = Outcome(False, str(refused))
        except subprocess.TimeoutExpired:
            prctl = None
            outcome = Outcome(False, "")
        if prctl:
            outcome = self.follow(subject, case, prctl)
        if case.ends_instance:
            self.expect_end(subject, case, pids)
            return
        self.revive(subject, case)
        fired = any(o.fired and (o.party, o.point) == (case.party, case.point)
                    for o in subject.faults().orders)
        self.counts["faults that happened"] += fired
        self.hit.add(case.point)
        subject.clear()
        subject.judge(members, outcome)
        subject.next_update_works(members)

    def follow(self, subject: Subject, case: Case, prctl: Any) -> Outcome:
        """Waits for the end of the update; ends who is stopped, where nobody else would."""
        helpless = case.action in ("stop", "hang") and not case.party.endswith(".next")
        try:
            output, _ = prctl.communicate(timeout=PATIENCE if helpless else 20)
        except subprocess.TimeoutExpired:
            if not helpless:
                prctl.kill()
                prctl.communicate()
                raise Violation("the update does not end") from None
            self.relieve(subject, case)
            try:
                output, _ = prctl.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                prctl.kill()
                prctl.communicate()
                raise Violation("the update does not end, though who was stopped is gone") from None
        return Outcome(prctl.returncode == 0, output)

    def relieve(self, subject: Subject, case: Case) -> None:
        """A stopped party goes on, or is killed, as chance will have it."""
        goes_on = case.action == "stop" and not case.ends_instance and self.random.random() < 0.5
        subject.signal(case.party, signal.SIGCONT if goes_on else signal.SIGKILL)

    def revive(self, subject: Subject, case: Case) -> None:
        """The same after the update, which may have ended without a stopped version."""
        if case.action in ("stop", "hang") and case.party in COMPONENTS:
            for pid in subject.pids_of(case.party):
                if state_of(pid) == "T" or case.action == "hang":
                    self.relieve(subject, case)
                    return

    def expect_end(self, subject: Subject, case: Case, pids: list[int]) -> None:
        party = case.party
        if subject.alive(party):
            if case.action in ("crash", "kill") and not subject.ended():
                time.sleep(0.2)
            if subject.alive(party):
                if case.action in ("crash", "kill"):
                    # The point was not hit this time: the instance goes on.
                    self.counts["points that were not come to"] += 1
                    subject.clear()
                    subject.settle()
                    self.leave()
                    return
                subject.signal(party, signal.SIGKILL)
        says = "busd was killed by signal" if party == "busd" else "the loader has died"
        subject.nothing_is_left(pids, says)
        self.counts["faults that happened"] += 1
        self.hit.add(case.point)
        self.counts["instances that ended, as they must"] += 1
        self.leave()


def state_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


# -- random moments ----------------------------------------------------------------------------

@dataclass(frozen=True)
class Shot:
    """A signal to a process of the instance, at a moment after the start of an update."""
    kind: Kind
    after_ms: float
    signum: int
    choice: float

    def __str__(self) -> str:
        return (f"{self.kind.name}: {signal.Signals(self.signum).name} after {self.after_ms:.1f} ms "
                f"to process {self.choice:.3f}")


def shots(seed: int, n: int) -> Iterator[Shot]:
    chance = random.Random(seed)
    for _ in range(n):
        yield Shot(chance.choice(KINDS[:3]), chance.expovariate(1 / 15),
                   chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP]), chance.random())


class RandomExperiment(Experiment):
    def perform(self, subject: Subject, shot: Shot) -> None:
        members = list(shot.kind.members)
        prctl = subject.start_update(members)
        time.sleep(shot.after_ms / 1000)  # the moment is what is varied
        before = set(subject.system.processes()) if shot.choice < 0.99 else set()
        targets = sorted(before - set(subject.pids.values()))
        victim = targets[int(shot.choice * len(targets))] if targets else subject.pids["busd"]
        name = process.command(victim).split(" ")[0]
        pids = list(subject.system.processes())
        subject.damaged = {name} & set(COMPONENTS)
        if "loader" in name:
            subject.damaged = set(COMPONENTS)  # not yet executed: it is one of the new versions
        try:
            os.kill(victim, shot.signum)
        except ProcessLookupError:
            pass
        self.counts[signal.Signals(shot.signum).name] += 1
        ends = victim == subject.pids["busd"]
        try:
            output, _ = prctl.communicate(timeout=PATIENCE if shot.signum == signal.SIGSTOP else 20)
        except subprocess.TimeoutExpired:
            self.let_go(victim)
            output, _ = prctl.communicate(timeout=20)
        self.let_go(victim)
        if ends:
            if shot.signum == signal.SIGSTOP:
                subject.signal("busd", signal.SIGKILL)
            subject.nothing_is_left(pids, "busd was killed by signal")
            self.counts["instances that ended, as they must"] += 1
            self.leave()
            return
        subject.judge(members, Outcome(prctl.returncode == 0, output))
        self.counts["updates that committed"] += prctl.returncode == 0

    def let_go(self, victim: int) -> None:
        if state_of(victim) == "T":
            try:
                os.kill(victim, self.random.choice([signal.SIGCONT, signal.SIGKILL]))
            except ProcessLookupError:
                pass


# -- whole runs ----------------------------------------------------------------------------------

def all_cases(experiment: Experiment) -> list[Case]:
    subject = experiment.enter()
    return list(cases_of(record(subject)))


def points_in_files(system: System) -> set[str]:
    return {line.split()[0] for line in system.prctl("fault", "--points").splitlines()}


def run_cases(experiment: Experiment, cases: list[Any], seconds: float | None = None) -> None:
    end = time.monotonic() + seconds if seconds else None
    for case in cases:
        if end and time.monotonic() > end:
            break
        experiment.run(case, experiment.perform)


def summary(experiment: Experiment) -> str:
    counts = ", ".join(f"{n} {what}" for what, n in experiment.counts.items())
    return f"{counts}, {len(experiment.failures)} failures"


__all__ = ["Case", "Experiment", "KINDS", "RandomExperiment", "all_cases", "cases_of",
           "points_in_files", "record", "replace", "run_cases", "shots", "summary"]
