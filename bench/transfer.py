"""How long a state is on its way from a frozen old version to a checked new one, beside the same
work done by hand."""

from __future__ import annotations

import os
import statistics
import subprocess

from proteos.build import BUILD

from result import distribution, prefer_me, result

BENCH = BUILD / "bench"
REPEATS = 5


def transfer(kind: str, count: int) -> dict[str, float]:
    """Milliseconds of each part of one update."""
    done = subprocess.run(
        [str(BUILD / "tests" / "updates" / "update-pair"), "--time", str(BENCH / "xfer-old"),
         str(BENCH / "xfer-new")],
        env={**os.environ, "XFER_KIND": kind, "XFER_COUNT": str(count)}, check=True, text=True,
        stdout=subprocess.PIPE, preexec_fn=prefer_me)
    return {name: float(us) / 1000 for name, us in map(str.split, done.stdout.splitlines())}


def floor(kind: str, count: int) -> float:
    cpu = str(max(os.sched_getaffinity(0)))
    done = subprocess.run([str(BENCH / "xfer-floor"), cpu, kind, str(count)], check=True, text=True,
                          stdout=subprocess.PIPE, preexec_fn=prefer_me)
    return float(done.stdout)


def _row(name: str, kind: str, count: int, peer: str, smaller: tuple[int, ...] = (),
         unit: str = "object") -> dict:
    runs, floors = [], []
    for _ in range(REPEATS):
        runs.append(transfer(kind, count))
        floors.append(floor(kind, count))
    times = [run["transfer"] for run in runs]
    sizes = {size: statistics.median(transfer(kind, size)["transfer"] for _ in range(REPEATS))
             for size in smaller}
    sizes[count] = statistics.median(times)
    details = {"ms": distribution(times), "peer_ms": distribution(floors)}
    if smaller:
        counts = sorted(sizes)
        details["slope"] = ", ".join(f"{size}: {sizes[size]:.2f} ms" for size in counts) + "; " \
            + ", ".join(f"{(sizes[b] - sizes[a]) * 1e6 / (b - a):.0f}" for a, b in
                        zip(counts, counts[1:])) + f" ns for each further {unit}"
    return result(name, statistics.median(times), "ms", peer, statistics.median(floors), **details)


def measure() -> list[dict]:
    return [
        _row("xfer_1g_bytes_ms", "bytes", 1024, "memcpy of 1 GB", (64, 256), "MB"),
        _row("xfer_1m_same_ms", "same", 1_000_000, "reading loop", (250_000, 500_000)),
        _row("xfer_1m_changed_ms", "changed", 1_000_000, "converting loop", (250_000, 500_000)),
        _row("xfer_10k_ms", "changed", 10_000, "converting loop"),
    ]
