"""libst's allocator beside glibc's, mimalloc and the least that an allocator can do: the time of each
operation, and the memory of a live heap."""

from __future__ import annotations

import os
import statistics
import subprocess

from proteos.build import BUILD

from result import prefer_me, result

REPEATS = 9  # each allocator in turn, so that a disturbance hits all alike
ALLOCATORS = ("libst", "glibc", "mimalloc", "bump")
OPERATIONS = ("malloc", "calloc", "realloc", "free", "aligned", "malloc_free", "pair")
LIVE_BLOCKS = 1_000_000
LIVE_SIZES = (16, 24, 40, 64, 100, 256, 1000, 5000)


def _run(allocator: str, *arguments: str) -> dict[str, float]:
    done = subprocess.run([str(BUILD / "bench" / f"alloc-{allocator}"), *arguments], check=True,
                          text=True, stdout=subprocess.PIPE, preexec_fn=prefer_me)
    return {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}


def times() -> list[dict]:
    cpu = str(max(os.sched_getaffinity(0)))
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in ALLOCATORS}
    for _ in range(REPEATS):
        for name in ALLOCATORS:
            runs[name].append(_run(name, cpu))
    rows = []
    for op in OPERATIONS:
        ns = {name: statistics.median(run[op] for run in runs[name]) for name in ALLOCATORS}
        # Both were measured one after the other, in the same weather.
        ratio = statistics.median(ours[op] / theirs[op]
                                  for ours, theirs in zip(runs["libst"], runs["glibc"]))
        rows.append(result(f"alloc_{op}_over_glibc", ratio, "ratio", "glibc 2.36", 1.0,
                           ns=", ".join(f"{name} {value:.1f}" for name, value in ns.items())))
    return rows


def _grown(allocator: str, *size: str, count: int = LIVE_BLOCKS) -> float:
    return _run(allocator, "memory", str(count), *size)["used"]


def memory() -> list[dict]:
    def beside_glibc(*size: str, count: int = LIVE_BLOCKS) -> float:
        return _grown("libst", *size, count=count) / _grown("glibc", *size, count=count) - 1

    mimalloc = _grown("mimalloc") / _grown("glibc") - 1
    by_size = ", ".join(
        f"{size} B {beside_glibc(str(size), count=min(LIVE_BLOCKS, 40_000_000 // size)):+.3f}"
        for size in LIVE_SIZES)
    return [result("heap_overhead", beside_glibc(), "of glibc's heap", "the paper's", 0.35,
                   mimalloc=f"{mimalloc:+.3f}", one_size=by_size)]


def measure() -> list[dict]:
    return times() + memory()
