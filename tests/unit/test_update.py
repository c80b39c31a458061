"""One live update, step by step: libsys and libst against a scripted bus."""

import contextlib
import errno
import os
import struct
from pathlib import Path

import pytest
from scripted_bus import (ANSWER, FROZEN, KERN_REGION, PLANNED, PREPARED, RECEIVE, RIGHT_NOTIFY,
                          SENDREC, TRANSFERRED, Bus, Edge)

COMPONENTS = Path(os.environ["COMPONENTS"])
ADD, NOTE, CHECK, HOLD, LET_GO, BUSY = range(0xf00, 0xf06)
ADD_TOTAL = 1000
NOTES = 50


def counter(version="", **more):
    return Bus(str(COMPONENTS / f"counter{version}"), edges=[Edge(2, "asker", RIGHT_NOTIFY)], **more)


def check(bus):
    """(digest, notes, total, version)"""
    status, body = bus.call(CHECK)
    assert status == 0
    return struct.unpack_from("<QQQI", body)


@contextlib.contextmanager
def old_with_state():
    with counter() as old:
        old.hello()
        (region,) = old.packet()
        assert (region.code, region.dst, region.type) == (SENDREC, 0, KERN_REGION)
        old.deliver(ANSWER, status=-errno.ENOENT)  # it has none
        assert [op.code for op in old.packet()] == [RECEIVE]
        old.call(ADD, struct.pack("<Q", ADD_TOTAL))
        for n in range(NOTES):
            old.call(NOTE, struct.pack("<Q", n), b"word %d" % n)
        yield old


@contextlib.contextmanager
def transferring(version, filter=""):
    """Old and new version; the old one is frozen and has exported."""
    with old_with_state() as old, counter(version, replaces=old) as new:
        before = check(old)
        new.hello()
        status, size = old.prepare(new, filter)
        assert status == 0 and size.endswith("KB of heap"), size
        assert new.report(PLANNED)[0] == 0
        old.converge()
        assert old.report(FROZEN) == (0, "")
        assert [op.code for op in old.packet()] == [RECEIVE]
        yield old, new, before


def goes_on(old, before):
    """The old version runs again as if nothing had happened."""
    old.thaw()
    assert check(old) == before
    old.call(ADD, struct.pack("<Q", 1))
    assert check(old)[2] == before[2] + 1


def commit(old, new):
    os.kill(old.pid, 9)
    old.wait()
    new.live()
    assert [op.code for op in new.packet()] == [RECEIVE]


def test_state_arrives_in_changed_structures():
    with transferring(".new") as (old, new, before):
        assert new.report(TRANSFERRED)[0] == 0
        assert [op.code for op in new.packet()] == [RECEIVE]
        commit(old, new)
        assert check(new) == (*before[:3], 2)
        for n in range(NOTES):
            new.call(NOTE, struct.pack("<Q", n), b"more %d" % n)
        assert check(new)[1] == 2 * NOTES
        assert "version 2 is live" in new.shutdown()


def test_rollback_after_a_complete_transfer():
    with transferring(".new") as (old, new, before):
        assert new.report(TRANSFERRED)[0] == 0
        new.packet()
        os.kill(new.pid, 9)
        new.wait()
        goes_on(old, before)


def test_updates_in_a_row():
    """The heap is written back in between, so that each next version may adopt it."""
    with contextlib.ExitStack() as stack:
        old = stack.enter_context(old_with_state())
        before = check(old)
        for round in range(10):
            new = stack.enter_context(counter("" if round % 2 else ".new", replaces=old))
            new.hello()
            old.prepare(new)
            assert new.report(PLANNED)[0] == 0
            old.converge()
            assert old.report(FROZEN) == (0, "")
            old.packet()
            assert new.report(TRANSFERRED)[0] == 0
            new.packet()
            commit(old, new)
            assert check(new)[:3] == before[:3]
            new.call(NOTE, struct.pack("<Q", round), b"round")
            before = check(new)
            old = new


def test_a_request_held_over_the_update_is_answered_by_the_new_version():
    with old_with_state() as old, counter(".new", replaces=old) as new:
        old.request(HOLD, source=2, token=4242)
        old.packet()
        new.hello()
        old.prepare(new)
        new.report(PLANNED)
        old.converge()
        old.report(FROZEN)
        old.packet()
        assert new.report(TRANSFERRED)[0] == 0
        new.packet()
        commit(old, new)
        new.request(LET_GO, source=2, token=1, body=struct.pack("<Q", 9))
        (late,) = new.packet()
        assert late.arg == 4242 and struct.unpack_from("<Q", late.body)[0] == 9


def test_filter_keeps_the_old_version_until_it_holds():
    with old_with_state() as old, counter(".new", replaces=old) as new:
        old.call(BUSY, struct.pack("<I", 1))
        new.hello()
        assert old.prepare(new, "num_busy == 0")[0] == 0
        new.report(PLANNED)
        old.converge()
        assert [op.code for op in old.packet()] == [RECEIVE]
        old.call(ADD, struct.pack("<Q", 1))  # busy, but at work
        old.request(BUSY, source=2, token=1, body=struct.pack("<I", 0))
        reply, = old.packet()  # is out before the state is exported
        assert reply.arg == 1
        assert old.report(FROZEN) == (0, "")


def test_thaw_before_freezing():
    with old_with_state() as old, counter(".new", replaces=old) as new:
        before = check(old)
        new.hello()
        old.prepare(new)
        new.report(PLANNED)
        old.thaw()
        assert check(old) == before


@pytest.mark.parametrize("version, status, text", [
    (".refuse", -errno.ECANCELED, "live update handler refused (-1)"),
    (".send", -errno.ECANCELED, "live update handler refused (-2004)"),  # ENOTLIVE
    (".narrow", -errno.EINVAL, "total"),
])
def test_refused_before_commit(version, status, text):
    with transferring(version) as (old, new, before):
        got, reason = new.report(TRANSFERRED)
        assert got == status and text in reason, reason
        assert new.wait() == 1
        goes_on(old, before)


@pytest.mark.parametrize("version, status", [(".crash", -11), (".exit", 7)])
def test_dies_before_commit(version, status):
    with transferring(version) as (old, new, before):
        assert new.wait() == status
        if status < 0:
            assert "live_update" in new.log.read()
        goes_on(old, before)


def test_hangs_before_commit():
    with transferring(".hang") as (old, new, before):
        new.channel.settimeout(0.3)
        with pytest.raises(TimeoutError):
            new.packet()
        os.kill(new.pid, 9)
        new.wait()
        goes_on(old, before)


def test_built_for_another_component_is_refused():
    with old_with_state() as old:
        with Bus(str(COMPONENTS / "peer"), replaces=old) as new:
            new.hello()
            assert new.report(PLANNED)[0] < 0
            assert new.wait() == 1
        assert check(old)[1] == NOTES


def test_death_of_the_old_version_ends_the_new():
    with old_with_state() as old, counter(".new", replaces=old) as new:
        new.hello()
        old.prepare(new)
        new.report(PLANNED)
        os.kill(old.pid, 9)
        old.wait()
        assert new.report(TRANSFERRED)[0] == -errno.EPIPE
        assert new.wait() == 1


def test_bad_filter_is_reported_by_the_old_version():
    with old_with_state() as old, counter(".new", replaces=old) as new:
        new.hello()
        status, text = old.prepare(new, "no_such_variable == 0")
        assert status == -errno.EINVAL and "no_such_variable" in text
        assert check(old)[1] == NOTES
