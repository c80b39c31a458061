"""Programs that a component starts while the system runs (bus/abi_programs.h)."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from proteos import process
from stage import (ACTOR, ENDED, EXITED, PLACES, PROGRAM_ENDED, REAP, SIGNAL, SPAWN, START, STARTED,
                   TAKEN, USAGE, Actor, Message, Stage)


class Spawner:
    """Starts programs by the kernel's calls alone."""

    def __init__(self, actor: Actor):
        self.actor = actor

    def take(self, file: str, *arguments: str) -> Any:
        strings = "".join(text + "\0" for text in (file, *arguments))
        return self.actor.kernel(SPAWN, payload=strings.encode())

    def start(self, name: str) -> tuple[int, int]:
        """An actor of that name; its endpoint and incarnation."""
        taken = self.take(ACTOR, name)
        assert taken.error == 0
        place = taken[0], taken[1]
        assert self.actor.kernel(START, *place).error == 0
        return place

    def signal(self, place: tuple[int, int], signum: int) -> int:
        return self.actor.kernel(SIGNAL, *place, signum).error

    def ended(self) -> Message:
        """The next end that it is told about, after the news that goes to all peers."""
        m = self.actor.receive()
        while m.type == EXITED:
            m = self.actor.receive()
        assert m.type == PROGRAM_ENDED
        return m

    def reap(self, place: tuple[int, int]) -> int:
        return self.actor.kernel(REAP, *place).error

    def places(self) -> list[tuple[int, int, int]]:
        data = self.actor.kernel(PLACES).payload
        words = [int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data), 4)]
        return [(words[i], words[i + 1], words[i + 2]) for i in range(0, len(words), 4)]


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage().add("spawner", kernel=["processes"]).add("bystander")
    made.programs(by="spawner", at_most=3, calls=["bystander"])
    with made:
        yield made


@pytest.fixture
def spawner(stage: Stage) -> Spawner:
    return Spawner(stage.actor("spawner"))


def test_a_program_lives_and_ends(stage, spawner):
    place = spawner.start("one")
    one = stage.actor("one")
    assert int(one.do("self")) == place[0]
    assert one.do("arguments") == "one"
    assert spawner.places() == [(*place, STARTED)]
    one.begin("exit 7")
    ended = spawner.ended()
    assert (ended[0], ended[1]) == place
    assert os.waitstatus_to_exitcode(ended[2]) == 7
    assert ended.payload == b""
    assert spawner.places() == [(*place, ENDED)]
    assert spawner.reap(place) == 0
    assert spawner.places() == []
