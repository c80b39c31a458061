"""What the tests of the process manager have alike: a first process, its child, and what they see."""

from __future__ import annotations

import os
import signal
import struct
from typing import Iterator

import pytest

from processes import HOLD, LOOK, MEMBERS, OPEN, Parent, Process, process_stage
from stage import Answer, Stage


TERM, KILLED, STOP, CONT, TSTP, CHLD, INT, USR1, XCPU = (
    signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGTSTP, signal.SIGCHLD,
    signal.SIGINT, signal.SIGUSR1, signal.SIGXCPU)


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


def begin_wait(stage: Stage, parent: Parent, pid: int = -1) -> None:
    """Waits for a child, and until the process manager knows that."""
    asked = stage.system.status()["pm"].messages
    parent.begin_wait(pid)
    stage.system.wait(lambda: stage.system.status()["pm"].messages > asked, "the request")


def code(status: int) -> int:
    return os.waitstatus_to_exitcode(status)


def open_on(parent: Parent, server: str) -> tuple[int, int]:
    """A handle of the caller's, and the object behind it."""
    answer = parent.actor.ask(server, OPEN)
    return answer[0], answer[1]


def endpoint(parent: Parent, name: str) -> int:
    return int(parent.actor.do(f"lookup {name}"))


def look(parent: Parent, server: str, endpoint: int, handle: int = 0) -> Answer:
    return parent.actor.ask(server, LOOK, struct.pack("<iI", endpoint, handle))


def members(parent: Parent, group: int) -> int:
    return parent.ask(MEMBERS, group)[0]


def hold(parent: Parent, server: str, on: bool) -> int:
    return parent.actor.ask(server, HOLD, struct.pack("<I", on))[0]
