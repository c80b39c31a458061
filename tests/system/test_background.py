"""Who shares CPUs with whom: a new version that is being loaded stays out of the way of what runs, and an
instance out of the way of other programs."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

from proteos import PATIENCE, System, process
from proteos.slices import get_slice_ns
from updating import ROLLED_BACK, newcomer


def test_new_versions_give_way_until_they_are_live(faulty: System):
    system = faulty
    old = system.status()["counter"].pid
    usual = get_slice_ns(old)
    if not usual:
        pytest.skip("this kernel has equal slices for all (before 6.12)")
    before = set(system.processes())
    system.prctl("fault", "counter.next", "sys.plan", "hang")
    update = system.start_prctl("update", "counter", "/bin/counter.new", "-timeout", "load=60000")
    new = system.wait(lambda: newcomer(system, before), "the new version")
    assert get_slice_ns(new) > usual and get_slice_ns(old) == usual
    if len(os.sched_getaffinity(0)) > 1:
        assert not os.sched_getaffinity(new) & os.sched_getaffinity(old)
    os.kill(new, signal.SIGKILL)
    update.communicate(timeout=PATIENCE)
    assert update.returncode == ROLLED_BACK
    system.prctl("fault", "--clear")
    system.update("counter", "/bin/counter.new")
    live = system.status()["counter"].pid
    assert live != old and get_slice_ns(live) == usual
    assert os.sched_getaffinity(live) == os.sched_getaffinity(system.status()["um"].pid)


def places(loader: int) -> set[tuple[bool, bool]]:
    """Of each process: whether it is in another session than the loader, and on other CPUs."""
    found, home = set(), os.sched_getaffinity(loader)
    for pid in process.descendants(loader):
        with contextlib.suppress(ProcessLookupError):  # an old version that is just ending
            found.add((os.getsid(pid) != os.getsid(loader), not os.sched_getaffinity(pid) & home))
    return found


def test_other_cpus_have_sessions_of_their_own(system: System):
    """Else some kernels starve whoever shares the personality's CPU (docs/decisions.md)."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("a single CPU")
    loader = system.instance().loader_pid
    for version in ("", "self"):
        for name in ("e1000-model", "net") if version else ():
            system.update(name, version)
        system.wait(lambda: places(loader) == {(False, False), (True, True)}, "each to be where it stays")
