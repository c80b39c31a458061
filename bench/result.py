"""A measured value beside its peer."""

from __future__ import annotations

import math
import os


def result(name: str, value: float, unit: str, peer: str, peer_value: float,
           **details: object) -> dict:
    entry = {"name": name, "value": value, "unit": unit, "peer": peer, "peer_value": peer_value,
             "ratio": value / peer_value if peer_value else 0.0}
    if details:
        entry["details"] = details
    return entry


def prefer_me() -> None:
    """For a child before its program starts: what else runs should not be measured, where the user
    may ask for that."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def distribution(values: list[float]) -> str:
    points = {"min": 0, "p50": 50, "p90": 90, "p99": 99, "max": 100}
    return ", ".join(f"{name} {percentile(values, p):.2f}" for name, p in points.items()) \
        + f" (n = {len(values)})"
