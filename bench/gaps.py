"""What clients notice of updates and restarts: the longest time without bytes, the worst latency.

On a TAP device, where the kernel's TCP is the client's; where there can be none, on slirp."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager
from typing import Callable, Iterator

from proteos import Manifest, System
from proteos.build import COMPONENTS
from proteos.load import Figures, Load
from proteos.namespace import TapNamespace, Unavailable

from result import distribution, percentile, result

UPDATES = 60
RESTARTS = 20
CLIENT_PATIENCE_MS = 1000
STREAM_BUFFER = 32768  # with more, requests would mostly wait behind what the download has queued
WINDOW_S = 0.25  # a window of traffic around each event, and of the control run
TAP_URL = "http://10.0.2.15"


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
        others = cpus - {max(cpus)} or cpus
        self.client_prefix = [*self.prefix, "taskset", "--cpu-list", ",".join(map(str, others))]

    @contextmanager
    def busy(self) -> Iterator[tuple[System, Load]]:
        """A system with clients that are being answered. A client that waits for bytes of a
        connection that its server has forgotten learns so only by giving up."""
        with System(self.manifest, prefix=self.prefix) as system:
            url = TAP_URL if self.wire == "tap" else system.url()
            with Load(url, connections=2, streams=1, pause_us=1000, stream_buffer=STREAM_BUFFER,
                      timeout_ms=CLIENT_PATIENCE_MS, prefix=self.client_prefix) as load:
                load.wait_until_busy()
                yield system, load


def _windows(load: Load, count: int, event: Callable[[int], list[Figures]]) -> list[Figures]:
    """Figures of `count` windows, each with one event in it, which may return earlier parts."""
    windows = []
    load.mark()
    for i in range(count):
        end = time.monotonic() + WINDOW_S
        parts = event(i)
        time.sleep(max(0.0, end - time.monotonic()))  # the window's length is what is measured
        windows.append(_merge([*parts, load.mark()]))
    return windows


def _merge(parts: list[Figures]) -> Figures:
    return {key: max(part[key] for part in parts) for key in ("gap_max_us", "latency_max_us")}


def _ms(windows: list[Figures], *keys: str) -> list[float]:
    """The worse of these figures in each window."""
    return [max(w[key] for key in keys) / 1000 for w in windows]


def _worst_ms(windows: list[Figures]) -> list[float]:
    return _ms(windows, "gap_max_us", "latency_max_us")


def _nothing(_: int) -> list[Figures]:
    return []


def _updates(system: System, component: str) -> Callable[[int], list[Figures]]:
    """Back and forth between the two versions of a component."""
    def update(i: int) -> list[Figures]:
        system.update(component, COMPONENTS / f"{component}{('.new', '')[i % 2]}")
        return []
    return update


def _restarts(system: System, load: Load, component: str) -> Callable[[int], list[Figures]]:
    def restart(_: int) -> list[Figures]:
        before = system.status()[component].restarts
        system.kill(component)
        system.wait(lambda: system.status()[component].restarts > before, "the restart")
        return [load.mark(), *load.wait_until_busy()]
    return restart


def measure() -> list[dict]:
    with ExitStack() as stack:
        try:
            return _measure(Setup(stack.enter_context(TapNamespace())))
        except Unavailable:
            return _measure(Setup(None))


def _measure(setup: Setup) -> list[dict]:
    with setup.busy() as (system, load):
        control = _windows(load, UPDATES, _nothing)
        updates = _windows(load, UPDATES, _updates(system, "net"))
        figures = load.finish()
    with setup.busy() as (system, load):
        restarts = _windows(load, RESTARTS, _restarts(system, load, "net"))
    p99 = percentile(_worst_ms(updates), 99)
    return [
        result("update_gap_p99_ms", p99, "ms", "the same load without updates",
               percentile(_worst_ms(control), 99),
               wire=setup.wire,
               update_ms=distribution(_worst_ms(updates)),
               control_ms=distribution(_worst_ms(control)),
               update_download_gap_ms=distribution(_ms(updates, "gap_max_us")),
               control_download_gap_ms=distribution(_ms(control, "gap_max_us")),
               update_request_latency_ms=distribution(_ms(updates, "latency_max_us")),
               control_request_latency_ms=distribution(_ms(control, "latency_max_us")),
               requests=f"{figures['requests']}, failed {figures['failed']}"),
        result("restart_gap_p99_ms", percentile(_worst_ms(restarts), 99), "ms", "update gap", p99,
               restart_ms=distribution(_worst_ms(restarts)),
               restart_request_latency_ms=distribution(_ms(restarts, "latency_max_us")),
               client_patience_ms=CLIENT_PATIENCE_MS),
    ]
