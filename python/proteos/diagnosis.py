"""What is going on when something takes too long: processes, and the machine around them. For people."""

from __future__ import annotations

import time
from pathlib import Path

from . import process

SECONDS = 1.0  # that the machine is watched
BUSIEST = 8
CPU_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def _read(path: str) -> str:
    """The first line, or a few frames of a stack; "?" when it may not be read, or is gone."""
    try:
        return "; ".join(Path(path).read_text().splitlines()[:6]) or "-"
    except OSError:
        return "?"


def _stat(pid: int) -> list[str]:
    """Fields of proc(5) from the state on, or none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []


def _describe(pid: int) -> str:
    stat = _stat(pid)
    if not stat:
        return f"process {pid} is gone\n"
    return (f"process {pid} ({process.command(pid)}): state {stat[0]}, CPU {stat[36]}, ran {stat[11]}+{stat[12]} "
            f"ticks, waits in {_read(f'/proc/{pid}/wchan')}\n"
            f"  system call {_read(f'/proc/{pid}/syscall')}\n  stack {_read(f'/proc/{pid}/stack')}\n")


def _cpus() -> dict[str, list[int]]:
    lines = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
    return {line[0]: [int(field) for field in line[1:9]] for line in lines if line[0].startswith("cpu")}


def _ticks() -> dict[int, int]:
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        stat = _stat(int(path.name))
        if stat:
            found[int(path.name)] = int(stat[11]) + int(stat[12])
    return found


def _machine() -> str:
    cpus, ticks = _cpus(), _ticks()
    time.sleep(SECONDS)
    text = f"load {_read('/proc/loadavg')}\n"
    for kind in ("cpu", "io", "memory"):
        text += f"pressure of {kind}: {_read(f'/proc/pressure/{kind}')}\n"
    for name, now in _cpus().items():
        used = [b - a for a, b in zip(cpus[name], now)]
        text += f"{name}: " + ", ".join(f"{field} {n}" for field, n in zip(CPU_FIELDS, used) if n) + "\n"
    used = {pid: n - ticks.get(pid, n) for pid, n in _ticks().items()}
    for pid in sorted(used, key=lambda pid: -used[pid])[:BUSIEST]:
        stat = _stat(pid)
        if stat and used[pid]:
            text += f"busy: {used[pid]} ticks, CPU {stat[36]}, policy {stat[38]}, nice {stat[16]}: " \
                    f"{process.command(pid)}\n"
    return text


def report(pids: list[int]) -> str:
    """On these processes and those below them, and on the machine."""
    below = [one for pid in pids for one in (pid, *process.descendants(pid))]
    return "".join(_describe(pid) for pid in below) + _machine()
