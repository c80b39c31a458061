"""Keeps what measures out of the way of what is measured."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Iterator

from proteos.slices import set_own_slice_ns

LONG_SLICE_NS = 10_000_000  # as bus/background.c


@contextmanager
def aside(cpus: set[int]) -> Iterator[None]:
    """This process, and those that it starts meanwhile, run on these CPUs and let whatever wakes up
    there go first."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    set_own_slice_ns(LONG_SLICE_NS)
    try:
        yield
    finally:
        set_own_slice_ns(0)
        os.sched_setaffinity(0, before)
