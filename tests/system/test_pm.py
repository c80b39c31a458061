"""The process manager."""

from __future__ import annotations

import errno
import os
import signal
import struct
from typing import Iterator

import pytest

from processes import *
from processes import Parent, Process
from stage import EXITED, NOTIFIED, Actor, Answer, Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    with process_stage() as made:
        yield made


@pytest.fixture
def init(stage: Stage) -> Parent:
    return Parent(stage.actor("init"))


@pytest.fixture
def shell(init: Parent) -> Process:
    return init.spawn("shell", group=0)


def code(status: int) -> int:
    return os.waitstatus_to_exitcode(status)


def test_a_process_begins_waits_and_ends(init, shell):
    assert (shell.begun.parent, shell.begun.user, shell.begun.gid) == (1, 0, 0)
    assert shell.begun.group == shell.pid
    child = shell.spawn("child", env=["HOME=/", "TERM=vt100"])
    assert (child.begun.parent, child.begun.group) == (shell.pid, shell.pid)
    assert child.begun.env == ["HOME=/", "TERM=vt100"]
    shell.begin_wait()
    assert shell.actor.waits()
    child.exit(7)
    error, pid, status = shell.end_wait()
    assert (error, pid, code(status)) == (0, child.pid, 7)
    assert shell.wait()[0] == -errno.ECHILD
