"""Processes below a loader, from /proc."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process held by pidfd, so that its number cannot come to mean another one."""

    pid: int
    pidfd: int

    @classmethod
    def open(cls, pid: int) -> Process | None:
        try:
            return cls(pid, os.pidfd_open(pid))
        except ProcessLookupError:
            return None

    def alive(self) -> bool:
        """Whether it has not ended; one that its parent has yet to collect has."""
        return not select.select([self.pidfd], [], [], 0)[0]

    def wait(self, seconds: float) -> bool:
        """Waits for its end; False when it still runs."""
        return bool(select.select([self.pidfd], [], [], seconds)[0])

    def send(self, signum: int) -> None:
        try:
            signal.pidfd_send_signal(self.pidfd, signum)
        except ProcessLookupError:
            pass

    def close(self) -> None:
        os.close(self.pidfd)


def _listed_children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(pid: int) -> list[int]:
    """What two readings agree on: the kernel leaves out some when one ends while it lists them
    (proc(5))."""
    before = None
    while (now := _listed_children(pid)) != before:
        before = now
    return now


def descendants(pid: int) -> list[int]:
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def loaders(runtime: Path) -> list[int]:
    """Loaders of the instance with that runtime directory, whether it has come up or not."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (path / "cmdline").read_bytes().split(b"\0")
            if words[0] == b"proteos-loader" and words[3:4] == [bytes(runtime)]:
                found.append(int(path.name))
    return found


def state(pid: int) -> str:
    """A letter of proc(5): "R", "S", "T" (stopped), "Z" and others; "" when there is no process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descriptors(pid: int) -> int:
    """Open descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))
