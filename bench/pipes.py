"""A pipe filled and emptied, 64 KiB at a time: the pipe server's beside Linux's, on the same CPU."""

from __future__ import annotations

import fcntl
import os
import re
import statistics
import time

from proteos import Manifest, System, wait_for

from result import distribution, result

REPEATS = 5  # each in turn, so that a disturbance hits both alike
ROUNDS = 5
TURNS = 500
PIPE_BYTES = 65536
MEGABYTE = 1e6


def ours(cpu: int) -> list[float]:
    """Megabytes a second, of each round."""
    manifest = Manifest.empty(cpu=cpu).add("pipe")
    manifest.add("mover", "bench-pipe", args=[str(ROUNDS), str(TURNS)], calls=[{"to": "pipe"}])
    with System(manifest) as system:
        wait_for(lambda: re.search(r"\bdone$", system.log("mover"), re.M), "the mover", 60)
        took_ns = map(float, re.findall(r"\bround (\S+)$", system.log("mover"), re.M))
        return [PIPE_BYTES / MEGABYTE / (ns / 1e9) for ns in took_ns]


def linux(cpu: int) -> list[float]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    data, rates = bytes(PIPE_BYTES), []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(TURNS):
            os.write(writer, data)
            os.read(reader, PIPE_BYTES)
        rates.append(TURNS * PIPE_BYTES / MEGABYTE / (time.perf_counter() - begin))
    os.close(reader)
    os.close(writer)
    os.sched_setaffinity(0, before)
    return rates


def measure() -> list[dict]:
    cpu = max(os.sched_getaffinity(0))
    here, there = [], []
    for _ in range(REPEATS):
        here += ours(cpu)
        there += linux(cpu)
    return [result("pipe_throughput", statistics.median(here), "MB/s", "a pipe of Linux's",
                   statistics.median(there), here=distribution(here), linux=distribution(there))]
