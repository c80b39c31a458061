"""Every fault at every fault point that an update comes to, and faults at random moments."""

from __future__ import annotations

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

from subject import COMPONENTS, Outcome, Subject, Update, Violation, boot

ACTIONS = ["crash", "kill", "stop", "hang", "delay", "error"]
DELAY_MS = 40
PATIENCE = 0.7      # s that a party may be stopped, before the experiment does what a heartbeat does
RELIEFS = 15
CASES_PER_BOOT = 60
PROBATION_MS = 60
TAKEN_BACK_MS = 3000  # ends by the crash, though that is late where somebody is stopped
ANSWER = 5.0        # s that busd has to answer in
LATE = 5.0          # s after an update, until a party has come to a point or does not any more
PROGRESS = 500      # cases
DEATHS_PER_BOOT = 6 # of a component: bus/lifecycle.c gives up one that dies in quick succession


@dataclass(frozen=True)
class Kind:
    """A kind of update: what is updated, and what is ordered so that it takes a certain course."""
    name: str
    members: tuple[str, ...]
    course: tuple[tuple[str, str, str], ...] = ()
    probation_ms: int = 0

    @property
    def commits(self) -> bool:
        return not self.course or self.probation_ms > 0


EVERYTHING = (*COMPONENTS, "busd")
KINDS = [
    Kind("one", ("ledger",)),
    Kind("several", ("teller", "ledger")),
    Kind("with um", tuple(COMPONENTS)),
    Kind("everything", EVERYTHING),
    Kind("rolled back", ("teller", "ledger"), (("ledger.next", "import.run", "error"),)),
    Kind("refused", tuple(COMPONENTS), (("loader", "loader.decide", "error"),)),
    Kind("given back", EVERYTHING, (("busd.next", "import.run", "error"),)),
    Kind("on probation", ("teller", "ledger"), probation_ms=PROBATION_MS),
    Kind("taken back", ("teller", "ledger"), (("ledger", "sys.committed", "crash"),), TAKEN_BACK_MS),
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
    def may_end_instance(self) -> bool:
        """By the death of busd or of the loader; but the update may have replaced that busd."""
        decided = self.party == "busd.next" and self.point in ("handover.asked", "busd.activate")
        return (self.party in ("busd", "loader") or decided) and self.action not in ("delay", "error")

    @property
    def is_helpless(self) -> bool:
        """Nobody but a user ends or continues a party that hangs or is stopped there."""
        waits = self.action in ("stop", "hang")
        return waits and (self.may_end_instance or not self.party.endswith(".next"))

    @property
    def damages(self) -> set[str]:
        """Who may be restarted: a version that was live when it died, or when the fault had it die."""
        fatal = self.action in ("crash", "kill", "stop", "hang")
        after_commit = self.point == "commit.descriptors"
        # Without probation, or when one of those that would take over has died.
        no_way_back = (self.point == "probation.begin" and self.action == "error" or
                       fatal and self.party in self.kind.members)
        hit = {self.party} if fatal or after_commit else set()
        meant = {party for party, _, _ in self.kind.course} if no_way_back else set()
        return (hit | meant) & set(COMPONENTS)


def record(subject: Subject) -> dict[Kind, list[Any]]:
    """One undisturbed update of each kind, twice, as versions alternate. @return what was hit"""
    found: dict[Kind, list[Any]] = {}
    for kind in KINDS:
        hits: dict[tuple[str, str], Any] = {}
        for _ in range(2):
            subject.clear()
            for party, point, action in kind.course:
                subject.order(party, point, action)
            outcome = subject.update(list(kind.members), kind.probation_ms)
            subject.judge(list(kind.members), outcome, kind.probation_ms > 0)
            if outcome.done != kind.commits:
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


def cases_of(found: dict[Kind, list[Any]], hits_max: int) -> Iterator[Case]:
    """@param hits_max  of the hits of a point in one update: so many first ones, and the last"""
    for kind, hits in found.items():
        ordered = {(party, point) for party, point, _ in kind.course}
        for hit in hits:
            if (hit.party, hit.point) in ordered:
                continue
            for nth in sorted({*range(1, min(hit.count, hits_max) + 1), hit.count}):
                for action in ACTIONS:
                    if action != "error" or hit.error:
                        yield Case(kind, hit.party, hit.point, action, nth)


class Experiment:
    """Runs cases, several on one instance as long as it lives."""

    components = COMPONENTS

    def __init__(self, seed: int, verbose: bool = False):
        self.random = random.Random(seed)
        self.verbose = verbose
        self.system: System | None = None
        self.subject: Subject | None = None
        self.on_this_boot = 0
        self.deaths: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Experiment:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.leave()

    def enter(self) -> Subject:
        if self.subject and self.on_this_boot >= CASES_PER_BOOT:
            self.leave()
        if self.deaths and max(self.deaths.values()) >= DEATHS_PER_BOOT:
            self.leave()
        if not self.subject:
            self.system = self.boot()
            self.subject = Subject(self.system, self.components)
            self.counts["boots"] += 1
        self.on_this_boot += 1
        return self.subject

    def leave(self) -> None:
        system, subject = self.system, self.subject
        self.system, self.subject, self.on_this_boot = None, None, 0
        self.deaths.clear()
        if subject:
            subject.leave()
        if system:
            self.end(system)

    def boot(self) -> System:
        return boot().__enter__()

    def end(self, system: System) -> None:
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
        if self.counts["cases"] % PROGRESS == 0:
            print(f"... {summary(self)}", flush=True)

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

    def all_cases(self, hits_max: int = 3) -> list[Case]:
        return list(cases_of(record(self.enter()), hits_max))

    # -- one case ----------------------------------------------------------------------------

    def perform(self, subject: Subject, case: Case) -> None:
        with subject.everybody() as everybody:
            self.try_out(subject, case, everybody)

    def start(self, subject: Subject, case: Case) -> Any:
        """What is disturbed."""
        return subject.start_update(list(case.kind.members), probation_ms=case.kind.probation_ms)

    def try_out(self, subject: Subject, case: Case, everybody: list[process.Process]) -> None:
        subject.damaged = case.damages
        subject.clear()
        for party, point, action in case.kind.course:
            subject.order(party, point, action)
        subject.order(case.party, case.point, case.action, case.nth,
                      DELAY_MS if case.action == "delay" else None)
        self.relieved = False
        outcome = self.follow(subject, case, self.start(subject, case))
        try:
            self.revive(subject, case)
            if not (case.may_end_instance and self.has_ended(subject, outcome)):
                self.expect_recovery(subject, case, outcome)
                return
        except (OSError, ProteosError, Violation):
            # It may have come to the point, and ended, only when the update was over.
            if not (case.may_end_instance and subject.ends()):
                raise
        self.expect_end(subject, case, everybody)

    def follow(self, subject: Subject, case: Case, update: Any) -> Outcome:
        """Waits for the end of the update; ends who is stopped, where nobody else would."""
        if not case.is_helpless:
            try:
                return update.outcome(20)
            except subprocess.TimeoutExpired:
                raise Violation("the update does not end") from None
        for _ in range(RELIEFS):  # on a busy machine it comes to the point only after the first
            try:
                return update.outcome(PATIENCE)
            except subprocess.TimeoutExpired:
                self.relieve(subject, case)
        try:
            return update.outcome(10)
        except subprocess.TimeoutExpired:
            raise Violation("the update does not end, though who was stopped is gone") from None

    def relieve(self, subject: Subject, case: Case) -> None:
        """A stopped party goes on, or is killed, as chance will have it."""
        self.relieved = True
        goes_on = case.action == "stop" and self.random.random() < 0.5
        subject.signal(case.party, signal.SIGCONT if goes_on else signal.SIGKILL)

    def revive(self, subject: Subject, case: Case) -> None:
        """The same after the update, which may have ended without a stopped version."""
        if not case.is_helpless:
            return
        if case.kind.probation_ms:  # it may come to the point when the probation is over
            end = time.monotonic() + 5
            while not self.has_fired(subject, case) and subject.on_probation() and \
                    time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(PATIENCE)
        # It may come to the point only after the update, which nobody has relieved then.
        end = time.monotonic() + (0 if self.relieved else LATE)
        while not (stuck := self.is_stuck(subject, case)) and time.monotonic() < end:
            time.sleep(0.02)
        if stuck:
            self.relieve(subject, case)

    def is_stuck(self, subject: Subject, case: Case) -> bool:
        if case.action == "hang":
            return case.party in COMPONENTS or self.has_fired(subject, case, unheard=True)
        with subject.processes_of(case.party) as found:
            return any(process.state(one.pid) == "T" for one in found if one.alive())

    def has_ended(self, subject: Subject, outcome: Outcome) -> bool:
        if not outcome.broken:
            return not subject.answers_status()
        subject.wait(lambda: subject.ended() or subject.answers_status(),
                     "the instance to end or to answer")
        return not subject.answers_status()

    def expect_end(self, subject: Subject, case: Case, everybody: list[process.Process]) -> None:
        # A hang leaves a busd or loader that only a user can end.
        subject.signal(case.party, signal.SIGKILL)
        says = "the loader has died" if case.party == "loader" else "busd was killed by signal"
        subject.nothing_is_left(everybody, says)
        self.counts["faults that happened"] += 1
        self.counts["instances that ended, as they must"] += 1
        self.leave()

    def expect_recovery(self, subject: Subject, case: Case, outcome: Outcome) -> None:
        members = list(case.kind.members)
        fired = self.has_fired(subject, case)
        subject.clear()
        self.deaths.update(case.damages)
        subject.judge(members, outcome, case.kind.probation_ms > 0)
        subject.next_update_works(members)
        self.counts["faults that happened"] += fired

    def has_fired(self, subject: Subject, case: Case, unheard: bool = False) -> bool:
        """@param unheard  what to say when busd does not answer"""
        try:
            orders = subject.faults(ANSWER).orders
        except (OSError, ProteosError):
            return unheard
        return any(o.fired and (o.party, o.point, o.nth) == (case.party, case.point, case.nth)
                   for o in orders)


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
        yield Shot(chance.choice(KINDS[:4]), chance.expovariate(1 / 15),
                   chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP]), chance.random())


LOOKS = 100  # for a process: the kernel's list lacks some while others end


class RandomExperiment(Experiment):
    def perform(self, subject: Subject, shot: Shot) -> None:
        update = subject.start_update(list(shot.kind.members))
        time.sleep(shot.after_ms / 1000)  # the moment is what is varied
        for _ in range(LOOKS):
            with subject.everybody() as everybody:
                targets = self.targets(subject, shot, everybody)
                if targets or subject.ended():
                    self.shoot(subject, shot, update, everybody, targets)
                    return
        raise Violation("the loader runs, and has no processes")

    @staticmethod
    def targets(subject: Subject, shot: Shot,
                everybody: list[process.Process]) -> list[process.Process]:
        spared = ["loader", "busd"] if shot.choice < 0.98 else ["loader"]
        outside = {subject.held[party].pid for party in spared}
        return sorted((p for p in everybody if p.pid not in outside), key=lambda p: p.pid)

    def shoot(self, subject: Subject, shot: Shot, update: Update, everybody: list[process.Process],
              targets: list[process.Process]) -> None:
        if not targets:
            raise Violation("the instance has ended before anything was hit")
        victim = targets[int(shot.choice * len(targets))]
        name = process.command(victim.pid).split(" ")[0]
        # In the middle of its execution: it is one of the new versions.
        young = not name or "loader" in name
        subject.damaged = set(COMPONENTS) if young else {name} & set(COMPONENTS)
        victim.send(shot.signum)
        self.counts[signal.Signals(shot.signum).name] += 1
        try:
            outcome = update.outcome(PATIENCE if shot.signum == signal.SIGSTOP else 20)
        except subprocess.TimeoutExpired:
            self.let_go(subject, victim)
            outcome = update.outcome(20)
        if shot.signum == signal.SIGSTOP:
            self.let_go(subject, victim)
        else:
            subject.forgets(victim.pid)
        self.deaths.update(subject.damaged)
        if outcome.broken or not subject.answers_status():
            next_busd = young and "busd" in shot.kind.members  # it may be live by now
            if name != "busd" and not next_busd:
                raise Violation(f"the instance has ended, though it was {name} that was hit")
            subject.nothing_is_left(everybody, "busd was killed by signal")
            self.counts["instances that ended, as they must"] += 1
            self.leave()
            return
        subject.judge(list(shot.kind.members), outcome)
        self.counts["updates that committed"] += outcome.done

    def let_go(self, subject: Subject, victim: process.Process) -> None:
        """A stopped process goes on, or is killed, as chance will have it."""
        signum = self.random.choice([signal.SIGCONT, signal.SIGKILL])
        victim.send(signum)
        if signum == signal.SIGKILL:
            subject.forgets(victim.pid)


# -- whole runs ----------------------------------------------------------------------------------

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


__all__ = ["Case", "Experiment", "KINDS", "RandomExperiment", "cases_of",
           "points_in_files", "record", "replace", "run_cases", "shots", "summary"]
