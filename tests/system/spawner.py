"""Who starts programs by the kernel's calls (bus/abi_programs.h)."""

from __future__ import annotations

import struct
from typing import Any

from stage import (ACTOR, EXITED, PLACES, PROGRAM_ENDED, REAP, SIGNAL, SPAWN, START, Actor, Message)


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
        return [place[:3] for place in struct.iter_unpack("<iIIiiI", data)]
