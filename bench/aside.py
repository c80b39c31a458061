"""Keeps what measures out of the way of what is measured."""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import contextmanager
from typing import Iterator

# linux/sched/types.h: size, policy, flags, nice, priority, runtime, deadline, period. A fair task's
# runtime is its slice; 0 is the kernel's default. Older kernels than 6.12 have equal slices for all.
ATTRIBUTES = "=IIQiIQQQ"
LONG_SLICE_NS = 10_000_000  # as bus/background.c
SYS_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}.get(os.uname().machine)


def _set_slice(ns: int) -> None:
    if os.sched_getscheduler(0) != os.SCHED_OTHER or SYS_SCHED_SETATTR is None:
        return
    size = struct.calcsize(ATTRIBUTES)
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = struct.pack(ATTRIBUTES, size, os.SCHED_OTHER, 0, nice, 0, ns, 0, 0)
    ctypes.CDLL(None).syscall(SYS_SCHED_SETATTR, 0, attributes, 0)


@contextmanager
def aside(cpus: set[int]) -> Iterator[None]:
    """This process, and those that it starts meanwhile, run on these CPUs and let whatever wakes up
    there go first."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    _set_slice(LONG_SLICE_NS)
    try:
        yield
    finally:
        _set_slice(0)
        os.sched_setaffinity(0, before)
