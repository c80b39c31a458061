"""The pipe server beside a model of it: random requests, of which each is answered as and when the
model says, over updates that move everything."""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

import pytest

from puppet import Call
from streams import PIPE_ATOMIC, PIPE_BYTES, Stream, make_pipe
from test_pipe import WAITERS_MAX, Pipes

REQUESTS, UPDATES = 1500, 3
SIZES = (1, 100, PIPE_ATOMIC - 1, PIPE_ATOMIC, PIPE_ATOMIC + 1, 30_000, PIPE_BYTES)


@dataclass
class Waiting:
    call: Call
    handle: int
    data: bytes  # a writer's
    most: int  # a reader's


@dataclass
class Pipe:
    """What the server should have."""
    lies: bytes = b""
    readers: set[int] = field(default_factory=set)
    writers: set[int] = field(default_factory=set)
    reading: list[Waiting] = field(default_factory=list)
    writing: list[Waiting] = field(default_factory=list)

    def try_read(self, most: int) -> tuple[int, bytes] | None:
        if not self.lies and self.writers and most:
            return None
        got, self.lies = self.lies[:most], self.lies[most:]
        return 0, got

    def try_write(self, data: bytes) -> tuple[int, int] | None:
        room = PIPE_BYTES - len(self.lies)
        if not self.readers:
            return -errno.EPIPE, 0
        n = len(data) if len(data) <= room else 0 if len(data) <= PIPE_ATOMIC else room
        if data and not n:
            return None
        self.lies += data[:n]
        return 0, n


class Model:
    """Both, and that they are alike."""

    def __init__(self, pipes: Pipes, seed: int):
        self.pipes = pipes
        self.client = pipes.a
        self.number = pipes.numbers["a"]
        self.random = random.Random(seed)
        self.all: list[Pipe] = []
        self.written = 0

    def handles(self, kind: str) -> list[tuple[Pipe, int]]:
        return [(p, h) for p in self.all for h in sorted(getattr(p, kind))]

    def stream(self, handle: int) -> Stream:
        return Stream(self.client, "pipe", handle)

    def used(self) -> int:
        return sum(len(p.readers) + len(p.writers) for p in self.all)

    def waiting(self) -> int:
        return sum(len(p.reading) + len(p.writing) for p in self.all)

    # -- requests --

    def make(self) -> None:
        if self.used() < 40:
            reader, writer = make_pipe(self.client)
            self.all.append(Pipe(readers={reader.handle}, writers={writer.handle}))

    def duplicate(self) -> None:
        kind = self.random.choice(["readers", "writers"])
        if not self.handles(kind) or self.used() >= 60:
            return
        pipe, handle = self.random.choice(self.handles(kind))
        answer = self.stream(handle).duplicate(self.client, self.number, self.number)
        assert answer.status == 0
        getattr(pipe, kind).add(answer.fields("I")[0])

    def close(self) -> None:
        kind = self.random.choice(["readers", "writers"])
        if not self.handles(kind):
            return
        pipe, handle = self.random.choice(self.handles(kind))
        assert self.stream(handle).close() == 0
        getattr(pipe, kind).remove(handle)
        for waiting in (pipe.reading, pipe.writing):
            for w in [w for w in waiting if w.handle == handle]:
                assert w.call.answer().status == -errno.EBADF
                waiting.remove(w)
        self.settle(pipe)
        if not pipe.readers and not pipe.writers:
            self.all.remove(pipe)

    def read(self) -> None:
        if not self.handles("readers") or self.waiting() == WAITERS_MAX:
            return
        pipe, handle = self.random.choice(self.handles("readers"))
        most = self.random.choice(SIZES)
        call = self.stream(handle).start_read(most)
        result = pipe.try_read(most)
        if result is None:
            pipe.reading.append(Waiting(call, handle, b"", most))
        else:
            assert (call.answer().status, call.answer().payload) == result
        self.settle(pipe)

    def write(self) -> None:
        if not self.handles("writers") or self.waiting() == WAITERS_MAX:
            return
        pipe, handle = self.random.choice(self.handles("writers"))
        n = self.random.choice(SIZES)
        data = bytes((self.written + i) * 37 // 11 % 256 for i in range(n))
        self.written += n
        call = self.stream(handle).start_write(data)
        result = None if pipe.writing else pipe.try_write(data)
        if result is None:
            pipe.writing.append(Waiting(call, handle, data, 0))
        else:
            assert (call.answer().status, call.answer().fields("I")[0]) == result
        self.settle(pipe)

    # -- what follows --

    def settle(self, pipe: Pipe) -> None:
        """Those who waited and are answered now; the others are not."""
        moved = True
        while moved:
            moved = False
            while pipe.writing and (done := pipe.try_write(pipe.writing[0].data)) is not None:
                answer = pipe.writing.pop(0).call.answer()
                assert (answer.status, answer.fields("I")[0]) == done
                moved = True
            while pipe.reading and (got := pipe.try_read(pipe.reading[0].most)) is not None:
                answer = pipe.reading.pop(0).call.answer()
                assert (answer.status, answer.payload) == got
                moved = True
        for handle in list(pipe.readers | pipe.writers)[:1]:
            self.stream(handle).watch(0)  # by now the server has seen everything
        assert not any(w.call.done() for w in pipe.reading + pipe.writing)

    def step(self) -> None:
        steps = [self.make, self.duplicate, self.close, self.read, self.read, self.write, self.write]
        self.random.choice(steps)()


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    made = Pipes(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_requests(pipes: Pipes, seed: int):
    model = Model(pipes, seed)
    for i in range(REQUESTS):
        model.step()
        if i % (REQUESTS // UPDATES) == REQUESTS // UPDATES - 1:
            pipes.system.prctl("update", "pipe", "self", "-relocate", "-strict")
    while model.used():
        model.close()
    for _ in range(32):  # nothing is left over
        make_pipe(pipes.a)
    assert pipes.system.status()["pipe"].restarts == 0
