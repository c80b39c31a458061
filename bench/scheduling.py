"""Where components run, and who computes beside them: round trips on one CPU and across two, and
beside programs that only compute, with the scheduler and without."""

from __future__ import annotations

import os
import re
import statistics

from proteos import Manifest, System, wait_for

from result import distribution, result

REPEATS = 5
ROUNDS = 20
CALLS = 200
HOGS = 2


def _rounds(manifest: Manifest) -> list[float]:
    """Microseconds of a round trip, a mean a round."""
    with System(manifest) as system:
        wait_for(lambda: re.search(r"\bdone$", system.log("caller"), re.M), "the caller", 120)
        return [float(ns) / 1000 for ns in re.findall(r"\bround (\S+)$", system.log("caller"), re.M)]


def _pair(**caller: object) -> Manifest:
    manifest = Manifest.empty()
    manifest.add("echo", "bench-echo")
    manifest.add("caller", "bench-caller", args=[str(ROUNDS), str(CALLS)], calls=[{"to": "echo"}],
                 **caller)
    return manifest


def _beside_hogs(scheduler: str | None, hogs: int = HOGS) -> Manifest:
    manifest = Manifest.empty()
    if scheduler:
        manifest.add("sched", scheduler, kernel=["schedule"])
    for n in range(hogs):
        manifest.add(f"hog-{n}", "hog")
    pair = _pair()
    manifest.data["components"] += [pair.component("echo"), pair.component("caller")]
    return manifest


def measure() -> list[dict]:
    variants = {"same": _pair, "none": lambda: _beside_hogs(None),
                "feedback": lambda: _beside_hogs("sched"), "fair": lambda: _beside_hogs("sched.new")}
    if len(os.sched_getaffinity(0)) > 1:
        variants["other"] = lambda: _pair(cpu="other")
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(REPEATS):  # in turn, so that a disturbance hits all alike
        for name, manifest in variants.items():
            times[name] += _rounds(manifest())
    median = {name: statistics.median(values) for name, values in times.items()}
    results = []
    if "other" in times:
        results.append(result("rtt_other_cpu_us", median["other"], "us", "caller on the same CPU",
                              median["same"], other_us=distribution(times["other"]),
                              same_us=distribution(times["same"])))
    for name in ("feedback", "fair"):
        results.append(result(f"rtt_beside_hogs_{name}_us", median[name], "us",
                              "without a scheduler", median["none"],
                              scheduled_us=distribution(times[name]),
                              without_us=distribution(times["none"])))
    return results
