"""What clients notice of updates, of one to all components at once, and of one update a second;
beside restarts, and a checkpoint and restore by CRIU."""

from __future__ import annotations

import json
import statistics
import time
from typing import Callable

from proteos import System
from proteos.build import COMPONENTS
from proteos.load import Figures, Load

from criu import checkpoint_and_restore
from result import distribution, percentile, result
from traffic import (CLIENT_PATIENCE_MS, WATCHFUL, Event, Setup, best_setup, longest_ms, nothing,
                     windows, worst_ms)

UPDATES = 60
UPDATES_OF_SETS = 25  # of each
RESTARTS = 20
STEADY_S = 1.1  # between them: what dies again and again within a second of its start is given up
TURN_S = 2.0  # a window of throughput, with an update in each second or without any
TURNS = 12    # with updates; one more without, so that each lies between two
# The order in which a set grows: what clients talk to first, busd at the end.
ORDER = ["net", "httpd", "e1000", "e1000-model", "um", "busd"]
HOLDING = ("converge", "transfer", "commit")  # the phases in which anything waits


class Updates:
    """Updates of the same components, one after the other: to their new versions and back, or to
    what runs where there is only one. What fails is counted."""

    def __init__(self, system: System, names: list[str]):
        self.system = system
        self.names = names
        self.records: list[dict] = []
        self.failures: list[str] = []

    def one(self, i: int) -> list[Figures]:
        """An Event."""
        for name in self.names:
            done = self.system.try_prctl("mupdate", name, self._file(name, i))
            if done.returncode != 0:
                self.failures.append(done.stdout.strip())
                self.system.try_prctl("mupdate-cancel")
                return []
        done = self.system.try_prctl("mupdate-start", "--json")
        record = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        if done.returncode == 0 and record:
            self.records.append(record)
        else:
            self.failures.append(record.get("reason") or done.stdout.strip())
        return []

    @staticmethod
    def _file(name: str, i: int) -> str:
        if not (COMPONENTS / f"{name}.new").exists():
            return "self"
        return str(COMPONENTS / f"{name}{('.new', '')[i % 2]}")

    def held_ms(self, *phases: str) -> list[float]:
        """How long each of the updates held anything back, in these phases."""
        return [sum(p["took_us"] for p in r["phases"] if p["phase"] in phases) / 1000
                for r in self.records]

    def details(self) -> dict[str, str]:
        held = self.held_ms(*HOLDING)
        whole = sum(held) or 1
        shares = {p: 100 * sum(self.held_ms(p)) / whole for p in HOLDING}
        details = {"held_ms": distribution(held) if held else "no update succeeded",
                   "share_of_held": ", ".join(f"{p} {s:.0f} %" for p, s in shares.items())}
        if self.failures:
            details["updates_failed"] = f"{len(self.failures)}, the first: {self.failures[0]}"
        return details


# ---- one component ----

def _added(found: list[Figures], control: list[Figures]) -> list[float]:
    """By how much each window with an event is worse than the one without that follows it."""
    return [ms - without for ms, without in zip(worst_ms(found), worst_ms(control))]


def _one(setup: Setup) -> tuple[dict, float]:
    """@return the row, and its gap"""
    with setup.busy(**WATCHFUL) as (system, load):
        updates = Updates(system, ["net"])
        found, control = windows(load, UPDATES, updates.one, nothing)
        figures = load.finish()
    gap = percentile(worst_ms(found), 99)
    row = result("update_gap_p99_ms", gap, "ms", "the same load without updates",
                 percentile(worst_ms(control), 99),
                 wire=setup.wire,
                 update_ms=distribution(worst_ms(found)),
                 control_ms=distribution(worst_ms(control)),
                 added_ms=distribution(_added(found, control)),
                 update_download_gap_ms=distribution(longest_ms(found, "gap_max_us")),
                 control_download_gap_ms=distribution(longest_ms(control, "gap_max_us")),
                 update_request_latency_ms=distribution(longest_ms(found, "latency_max_us")),
                 control_request_latency_ms=distribution(longest_ms(control, "latency_max_us")),
                 requests=f"{figures['requests']}, failed {figures['failed']}",
                 **updates.details())
    return row, gap


def _kill(system: System, load: Load, component: str) -> Event:
    def restart(_: int) -> list[Figures]:
        before = system.status()[component].restarts
        system.kill(component)
        system.wait(lambda: system.status()[component].restarts > before, "the restart")
        found = [load.mark(), *load.wait_until_busy()]
        time.sleep(STEADY_S)
        return found
    return restart


def _restarts(setup: Setup, gap: float) -> dict:
    with setup.busy(**WATCHFUL) as (system, load):
        [found] = windows(load, RESTARTS, _kill(system, load, "net"))
    return result("restart_gap_p99_ms", percentile(worst_ms(found), 99), "ms", "update gap", gap,
                  restart_ms=distribution(worst_ms(found)),
                  restart_request_latency_ms=distribution(longest_ms(found, "latency_max_us")),
                  client_patience_ms=CLIENT_PATIENCE_MS)


# ---- one to all components ----

def _sets(setup: Setup) -> list[dict]:
    rows = []
    with setup.busy(**WATCHFUL) as (system, load):
        for n in range(1, len(ORDER) + 1):
            updates = Updates(system, ORDER[:n])
            gaps, control = map(worst_ms, windows(load, UPDATES_OF_SETS, updates.one, nothing))
            rows.append(result(f"update_gap_{n}_components_ms", percentile(gaps, 99), "ms",
                               "the same load without updates", percentile(control, 99),
                               components=", ".join(ORDER[:n]), gap_ms=distribution(gaps),
                               control_ms=distribution(control), **updates.details()))
        failed = load.finish()["failed"]
    whole = dict(rows[-1], name="update_gap_all_ms", details={"requests_failed": failed})
    return [*rows, whole]


# ---- throughput ----

def _turn(load: Load, each_second: Callable[[int], object]) -> float:
    """Requests a second."""
    load.mark()
    begin = time.monotonic()
    for second in range(round(TURN_S)):
        each_second(second)
        time.sleep(max(0.0, begin + second + 1 - time.monotonic()))
    took = time.monotonic() - begin
    return load.mark()["requests"] / took


def _losses(turns: list[float], first: int, apart: int) -> list[float]:
    """What each second turn from `first` on loses beside those `apart` before and after it, in
    percent."""
    return [100 * (1 - 2 * turns[i] / (turns[i - apart] + turns[i + apart]))
            for i in range(first, len(turns) - apart, 2)]


def _throughput(setup: Setup) -> dict:
    """Turns with and without updates alternate, so that what else goes on in the machine falls on
    both; the clients ask for the next page as soon as they have the last."""
    turns = []
    with setup.busy(connections=4, streams=0) as (system, load):
        updates = Updates(system, ["net"])
        for i in range(2 * TURNS + 1):
            turns.append(_turn(load, updates.one if i % 2 else nothing))
        failed = load.finish()["failed"]
    losses, control = _losses(turns, 1, 1), _losses(turns, 2, 2)
    return result("updates_1hz_throughput_loss", statistics.median(losses), "%",
                  "turns without updates, beside each other", statistics.median(control),
                  loss=distribution(losses), control_loss=distribution(control),
                  requests_per_s_with_updates=distribution(turns[1::2]),
                  requests_per_s_without=distribution(turns[0::2]),
                  requests_failed=failed, **updates.details())


def measure() -> list[dict]:
    with best_setup() as where:
        row, gap = _one(where)
        return [row, _restarts(where, gap), *_sets(where), _throughput(where),
                *checkpoint_and_restore()]
