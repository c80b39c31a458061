"""A stream of updates, good and bad, of any components, under clients that check every byte; and
what must be true of it: no request fails, each update ends as it must, and nothing grows."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from proteos import ProteosError, System, process  # noqa: E402
from proteos.build import COMPONENTS as FOLDER  # noqa: E402
from proteos.download import Download  # noqa: E402
from proteos.load import Load  # noqa: E402

EVERY_S = 0.2
SAMPLE_S = 1.0
SAMPLES_MIN = 10         # on a machine that is slow the stream lasts until there are so many
SETTLE_S = 60.0          # until the processes of an update that has ended are gone
PATIENT_MS = 20_000      # for each phase of an update that must succeed, on a busy machine
IMPATIENT_MS = 400       # for one that must not, as its new version hangs
CLIENT_PATIENCE_MS = 30_000
DOWNLOAD_PATIENCE_S = 120.0
DOWNLOAD_BYTES = 30_000_000
DOWNLOAD_RATE = "5M"    # bytes a second: over many updates
GROWTH_MAX = 0.10        # of memory, over its first level
GROWTH_MAX_BYTES = 1 << 20
DESCRIPTORS_MAX = 2      # more than at first; clients connect and part

COMMITTED, REFUSED, ROLLED_BACK = 0, 1, 3
HOW_IT_ENDS = {COMMITTED: "committed", REFUSED: "refused", ROLLED_BACK: "rolled back"}

NEVER = "1 == 2"
HANGS = ("hang", "stuck")  # while its state is transferred; while it is loaded


# -- what is asked -----------------------------------------------------------------------------

@dataclass(frozen=True)
class Change:
    """What is asked of one component. `check` is a condition on its state, "" for none."""
    component: str
    file: str
    check: str = ""

    def __str__(self) -> str:
        check = f" -check '{self.check}'" if self.check else ""
        return f"{self.component} to {self.file}{check}"


@dataclass(frozen=True)
class Request:
    """An update, and the status that prctl must end with."""
    changes: tuple[Change, ...]
    status: int

    def __str__(self) -> str:
        return f"{', '.join(map(str, self.changes))}: to be {HOW_IT_ENDS[self.status]}"

    @property
    def limit_ms(self) -> int:
        hangs = any(c.file.endswith(h) for c in self.changes for h in HANGS)
        return IMPATIENT_MS if hangs else PATIENT_MS


def failing_versions() -> dict[str, list[str]]:
    """Files of versions that crash, hang, exit or refuse, by component."""
    faults = ("crash", "exit", "refuse", "dead", "narrow", *HANGS)
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.iterdir()):
        name, _, fault = path.name.rpartition(".")
        if name and fault in faults:
            found.setdefault(name, []).append(f"/bin/{path.name}")
    return found


class Requests:
    """Requests without end, from a seed."""

    def __init__(self, seed: int, names: list[str]):
        self.random = random.Random(seed)
        self.names = sorted(names)
        self.failing = failing_versions()
        self.new = {n for n in names if (FOLDER / f"{n}.new").exists()}

    def __iter__(self) -> Iterator[Request]:
        while True:
            yield self._one()

    def _one(self) -> Request:
        members = self._members()
        changes = [self._good(name) for name in members]
        status = self.random.choices([COMMITTED, ROLLED_BACK, REFUSED], [5, 3, 2])[0]
        if status != COMMITTED:
            bad = self.random.randrange(len(members))
            make = self._failing if status == ROLLED_BACK else self._misplaced
            changes[bad] = make(members[bad])
        return Request(tuple(changes), status)

    def _members(self) -> list[str]:
        """One, several, or all."""
        n = self.random.choices([1, self.random.randint(2, len(self.names) - 1), len(self.names)],
                                [5, 3, 1])[0]
        return self.random.sample(self.names, n)

    def _good(self, name: str) -> Change:
        files = ["self", f"/bin/{name}"] + [f"/bin/{name}.new"] * (name in self.new)
        return Change(name, self.random.choice(files))

    def _failing(self, name: str) -> Change:
        """By a version that fails, or by a check that does not hold."""
        if name in self.failing and self.random.random() < 0.7:
            return Change(name, self.random.choice(self.failing[name]))
        return Change(name, self._good(name).file, NEVER)

    def _misplaced(self, name: str) -> Change:
        other = self.random.choice([n for n in self.names if n != name])
        return Change(name, f"/bin/{other}")


# -- what it takes -----------------------------------------------------------------------------

@dataclass(frozen=True)
class Sample:
    """What all processes of the instance hold between two updates."""
    at_s: float
    rss: int
    anonymous: int
    descriptors: int


def _status_bytes(text: str, key: str) -> int:
    line = next((line for line in text.splitlines() if line.startswith(key)), "")
    return int(line.split()[1]) * 1024 if line else 0


def sample(system: System, at_s: float) -> Sample:
    """Raises OSError or ProteosError when a process has just ended."""
    rss = anonymous = 0
    for pid in system.processes():
        text = Path(f"/proc/{pid}/status").read_text()
        rss += _status_bytes(text, "VmRSS:")
        anonymous += _status_bytes(text, "RssAnon:")
    descriptors = sum(c.descriptors for c in system.status().values())
    instance = system.instance()
    for pid in (instance.loader_pid, instance.busd_pid):
        try:
            descriptors += process.descriptors(pid)
        except PermissionError:  # root can count them
            pass
    return Sample(at_s, rss, anonymous, descriptors)


class Levels:
    """Medians early and late: of the second minute and of the last one; of a run of less than five
    minutes, of the second and the last fifth of the samples."""

    def __init__(self, samples: list[Sample]):
        part = min(60.0, samples[-1].at_s / 5) if samples else 0.0
        n = len(samples) // 5
        if part == 60.0:
            self.early = [s for s in samples if part <= s.at_s < 2 * part]
            self.late = [s for s in samples if s.at_s >= samples[-1].at_s - part]
        else:
            self.early, self.late = samples[n:2 * n], samples[len(samples) - n:]

    def of(self, key: str) -> tuple[float, float]:
        return tuple(statistics.median(getattr(s, key) for s in part)  # type: ignore[return-value]
                     for part in (self.early, self.late))

    def growths(self) -> Iterator[str]:
        """What has grown too much."""
        if not self.early or not self.late:
            yield "too few samples to judge what it holds"
            return
        for key in ("rss", "anonymous"):
            early, late = self.of(key)
            if late > early * (1 + GROWTH_MAX) + GROWTH_MAX_BYTES:
                yield f"memory ({key}) grew from {early / 1e6:.1f} to {late / 1e6:.1f} MB"
        early, late = self.of("descriptors")
        if late > early + DESCRIPTORS_MAX:
            yield f"descriptors grew from {early:.0f} to {late:.0f}"

    def __str__(self) -> str:
        if not self.early or not self.late:
            return "not judged"
        rss, anonymous, fds = map(self.of, ("rss", "anonymous", "descriptors"))
        return (f"memory {rss[0] / 1e6:.1f} -> {rss[1] / 1e6:.1f} MB (anonymous "
                f"{anonymous[0] / 1e6:.1f} -> {anonymous[1] / 1e6:.1f}), "
                f"descriptors {fds[0]:.0f} -> {fds[1]:.0f}")


# -- the stream ----------------------------------------------------------------------------------

class Clients:
    """Keep-alive connections, a download by the same client, and one after the other by curl."""

    def __init__(self, url: str):
        self.url = url
        self.load = Load(url, connections=4, streams=1, pause_us=2000, stream_bytes=5_000_000,
                         timeout_ms=CLIENT_PATIENCE_MS)
        self.downloads: Counter[str] = Counter()
        self.problems: list[str] = []

    def __enter__(self) -> Clients:
        self.load.__enter__()
        self.load.wait_until_busy(60)
        self._begin_download()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.download.__exit__(*exception)
        self.load.__exit__(*exception)

    def _begin_download(self) -> None:
        self.download = Download(self.url, DOWNLOAD_BYTES, limit_rate=DOWNLOAD_RATE)
        self.download.__enter__()

    def tend(self) -> None:
        """Begins a new download by curl when the last one has ended."""
        if not self.download.running():
            self._end_download()
            self._begin_download()

    def _end_download(self) -> None:
        right = self.download.right()
        self.downloads["right" if right else "wrong"] += 1
        if not right:
            self.problems.append(f"a download by curl failed: {self.download.received} bytes, "
                                 f"status {self.download.status} {self.download.errors}".strip())
        self.download.__exit__()

    def finish(self) -> dict[str, int]:
        self.download.wait(DOWNLOAD_PATIENCE_S)
        self._end_download()
        self.load.mark()
        self.load.wait_until_busy(60)  # they are served still
        figures = self.load.finish()
        if figures["failed"] or figures["wrong"]:
            self.problems.append(f"{figures['failed']} requests failed, {figures['wrong']} wrong "
                                 f"bytes: {self.load.errors()}")
        return figures


class Stream:
    """Carries out requests for so many seconds. `violations` has what must not have happened."""

    def __init__(self, seed: int, seconds: float, verbose: bool = False):
        self.seed = seed
        self.seconds = seconds
        self.verbose = verbose
        self.counts: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self.violations: list[str] = []
        self.figures: dict[str, int] = {}
        self.downloads: Counter[str] = Counter()

    def run(self) -> None:
        with System() as self.system:
            self.parties = len(self.system.processes())
            self.versions = self._versions()
            with Clients(self.system.url()) as clients:
                self._updates(clients)
                self.figures = clients.finish()
            self.downloads = clients.downloads
            self.violations += clients.problems
            if self.violations:
                print(self.system.logs(), file=sys.stderr)
        self.violations += self.levels.growths()

    @property
    def levels(self) -> Levels:
        return Levels(self.samples)

    def _updates(self, clients: Clients) -> None:
        begin = time.monotonic()
        sampled = 0.0
        for request in Requests(self.seed, [*self.system.status(), "busd"]):
            now = time.monotonic()
            enough = len(self.samples) >= SAMPLES_MIN or self.violations
            if now - begin >= self.seconds and enough:
                return
            self._perform(request)
            clients.tend()
            if now - sampled >= SAMPLE_S:
                sampled = now
                self._sample(now - begin)
            time.sleep(max(0.0, now + EVERY_S - time.monotonic()))  # the pace is what is asked for

    # -- one update --------------------------------------------------------------------------

    def _versions(self) -> dict[str, tuple[int, int]]:
        """Process and restarts of each party."""
        instance = self.system.instance()
        return {"busd": (instance.busd_pid, 0),
                **{n: (c.pid, c.restarts) for n, c in self.system.status().items()}}

    def _perform(self, request: Request) -> None:
        self.counts["updates"] += 1
        try:
            status, text = self._ask(request)
            before, self.versions = self.versions, self._versions()
            self._judge(request, status, text, before, self.versions)
        except (ProteosError, OSError, subprocess.TimeoutExpired) as problem:
            self._violated(request, str(problem))
        if self.verbose:
            print(request, flush=True)

    def _ask(self, request: Request) -> tuple[int, str]:
        """Each change with a command of its own, and all carried out as one."""
        for change in request.changes:
            check = ["-check", change.check] if change.check else []
            done = self.system.try_prctl("mupdate", change.component, change.file, *check)
            if done.returncode != 0:
                self.system.try_prctl("mupdate-cancel")
                return done.returncode, done.stdout
        limits = [w for phase in ("load", "converge", "transfer")
                  for w in ("-timeout", f"{phase}={request.limit_ms}")]
        done = self.system.try_prctl("mupdate-start", "--json", *limits, deadline=120)
        return done.returncode, reason_of(done.stdout)

    def _judge(self, request: Request, status: int, text: str, before: dict[str, tuple[int, int]],
               after: dict[str, tuple[int, int]]) -> None:
        self.counts[HOW_IT_ENDS.get(status, f"status {status}")] += 1
        if status != request.status:
            self._violated(request, f"status {status}: {text}")
        members = {c.component for c in request.changes} if status == COMMITTED else set()
        changed = {name for name in before if before[name][0] != after[name][0]}
        if changed != members:
            self._violated(request, f"status {status}, but {sorted(changed)} have new processes")
        if any(before[name][1] != after[name][1] for name in before):
            self._violated(request, "a component was restarted")

    def _violated(self, request: Request, how: str) -> None:
        self.violations.append(f"update {self.counts['updates']}, {request}: {how}")
        print(f"VIOLATION {self.violations[-1]}", file=sys.stderr, flush=True)

    def _sample(self, at_s: float) -> None:
        """Once the old versions are gone."""
        try:
            self.system.wait(lambda: len(self.system.processes()) == self.parties,
                             f"{self.parties} processes", SETTLE_S)
            self.samples.append(sample(self.system, at_s))
        except (ProteosError, OSError) as problem:
            self.violations.append(f"{problem}; there are {self.system.processes()}")

    # -- in the end --------------------------------------------------------------------------

    def summary(self) -> str:
        ends = ", ".join(f"{self.counts[end]} {end}" for end in HOW_IT_ENDS.values())
        clients = Counter(self.figures)
        return (f"{self.seconds:g} s, seed {self.seed}: {self.counts['updates']} updates ({ends}); "
                f"{clients['requests']} requests, {clients['failed']} failed; "
                f"{self.downloads.total()} downloads by curl, {self.downloads['wrong']} failed; "
                f"{clients['wrong']} wrong bytes; {self.levels}; "
                f"{len(self.violations)} violations")


def reason_of(output: str) -> str:
    """Why an update failed, from what prctl printed."""
    try:
        return json.loads(output)["reason"]
    except (ValueError, KeyError):
        return output.strip()


__all__ = ["Stream"]
