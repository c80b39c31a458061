"""A system under load, and what its clients notice in windows of time: the longest time without
bytes, the worst latency.

On a TAP device, where the kernel's TCP is the client's; where there can be none, on slirp."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from proteos import Manifest, System
from proteos.load import Figures, Load
from proteos.namespace import TapNamespace, Unavailable

from aside import aside

CLIENT_PATIENCE_MS = 1000
STREAM_BUFFER = 32768  # with more, requests would mostly wait behind what the download has queued
WINDOW_S = 0.25
TAP_URL = "http://10.0.2.15"

# Two connections that ask for small pages and pause in between, so that they find every gap, and
# one that downloads.
WATCHFUL = {"connections": 2, "streams": 1, "pause_us": 1000, "stream_buffer": STREAM_BUFFER}

Event = Callable[[int], list[Figures]]


class Setup:
    """Where the system and its clients run."""

    def __init__(self, inside: TapNamespace | None):
        cpus = os.sched_getaffinity(0)
        self.manifest = Manifest()
        self.manifest.data["cpu"] = max(cpus)
        self.prefix = inside.prefix if inside else []
        self.wire = "tap" if inside else "slirp"
        if inside:
            self.manifest.wire(kind="tap", device=inside.device)
            self.manifest.data["wires"][0].pop("forward")
        # Clients on CPUs of their own: they must not disturb what they measure.
        self.others = cpus - {max(cpus)} or cpus
        self.client_prefix = [*self.prefix, "taskset", "--cpu-list",
                              ",".join(map(str, self.others))]

    @contextmanager
    def busy(self, **load: Any) -> Iterator[tuple[System, Load]]:
        """A system with clients that are being answered; `load` is what Load takes. A client that
        waits for bytes of a connection that its server has forgotten learns so by giving up."""
        with System(self.manifest, prefix=self.prefix) as system:
            url = TAP_URL if self.wire == "tap" else system.url()
            with Load(url, **load, timeout_ms=CLIENT_PATIENCE_MS,
                      prefix=self.client_prefix) as clients:
                _prefer(clients.pid, system.status()["e1000-model"].pid)
                clients.wait_until_busy()
                with aside(self.others):
                    yield system, clients


def _prefer(*pids: int) -> None:
    """Where this runs at a real-time priority (chrt), which whatever it starts inherits: new
    versions are loaded on the clients' CPU, and equals take no turns there."""
    if os.sched_getscheduler(0) == os.SCHED_FIFO:
        above = os.sched_param(os.sched_getparam(0).sched_priority + 1)
        for pid in pids:
            os.sched_setscheduler(pid, os.SCHED_FIFO, above)


@contextmanager
def best_setup() -> Iterator[Setup]:
    """The best that this machine can have."""
    try:
        with TapNamespace() as inside:
            yield Setup(inside)
    except Unavailable:
        yield Setup(None)


def windows(load: Load, count: int, *events: Event) -> list[list[Figures]]:
    """Figures of `count` windows for each event, which happens once in each and may return earlier
    parts of it. The events take turns, so that what else goes on in the machine falls on all."""
    found: list[list[Figures]] = [[] for _ in events]
    load.mark()
    for i in range(count):
        for event, its in zip(events, found):
            end = time.monotonic() + WINDOW_S
            parts = event(i)
            time.sleep(max(0.0, end - time.monotonic()))  # the window's length is what is measured
            its.append(_merge([*parts, load.mark()]))
    return found


def nothing(_: int) -> list[Figures]:
    """The event of a control run."""
    return []


def _merge(parts: list[Figures]) -> Figures:
    return {key: max(part[key] for part in parts) for key in ("gap_max_us", "latency_max_us")}


def longest_ms(found: list[Figures], *keys: str) -> list[float]:
    """The worse of these figures in each window."""
    return [max(w[key] for key in keys) / 1000 for w in found]


def worst_ms(found: list[Figures]) -> list[float]:
    """The worst that any client noticed in each window."""
    return longest_ms(found, "gap_max_us", "latency_max_us")
