"""A new version that is being loaded stays out of the way of what runs."""

from __future__ import annotations

import ctypes
import os
import signal
import struct

import pytest

from proteos.system import System
from updating import ROLLED_BACK, newcomer

# linux/sched/types.h: size, policy, flags, nice, priority, runtime, deadline, period.
ATTRIBUTES = "=IIQiIQQQ"
SYS_SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}


def slice_ns(pid: int) -> int:
    """How long a fair process runs before others take turns; 0 from kernels that do not tell."""
    size = struct.calcsize(ATTRIBUTES)
    attributes = ctypes.create_string_buffer(size)
    number = SYS_SCHED_GETATTR[os.uname().machine]
    assert ctypes.CDLL(None, use_errno=True).syscall(number, pid, attributes, size, 0) == 0
    return int(struct.unpack(ATTRIBUTES, attributes.raw)[5])


def test_new_versions_give_way_until_they_are_live(faulty):
    system: System = faulty
    old = system.status()["counter"].pid
    usual = slice_ns(old)
    if not usual:
        pytest.skip("this kernel has equal slices for all (before 6.12)")
    before = set(system.processes())
    system.prctl("fault", "counter.next", "sys.plan", "hang")
    update = system.start_prctl("update", "counter", "/bin/counter.new", "-timeout", "load=60000")
    new = system.wait(lambda: newcomer(system, before), "the new version")
    assert slice_ns(new) > usual and slice_ns(old) == usual
    if len(os.sched_getaffinity(0)) > 1:
        assert not os.sched_getaffinity(new) & os.sched_getaffinity(old)
    os.kill(new, signal.SIGKILL)
    update.communicate(timeout=30)
    assert update.returncode == ROLLED_BACK
    system.prctl("fault", "--clear")
    system.update("counter", "/bin/counter.new")
    live = system.status()["counter"].pid
    assert live != old and slice_ns(live) == usual
    assert os.sched_getaffinity(live) == os.sched_getaffinity(system.status()["um"].pid)
