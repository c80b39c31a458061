"""Pipes: what goes through, who waits, how they end; over updates, and the deaths of their users."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, Iterator

import pytest

from proteos import Manifest, System
from puppet import Puppet
from streams import (IO_CLOSE, IO_HUP, IO_IN, IO_OUT, IO_POSITION, IO_READ, IO_READY, IO_WAIT,
                     IO_WATCH, IO_WRITE, PIPE_ATOMIC, PIPE_BYTES, PIPE_MAKE, Stream, make_pipe)

HANDLES_MAX, PIPES_MAX, WAITERS_MAX = 64, 256, 32


class Pipes:
    """A pipe server with three users, of which one is called pm."""

    def __init__(self, tmp_path: Path, **settings: Any):
        manifest = Manifest.empty().add("pipe", restart="always", **settings)
        self.users = {name: Puppet(name, tmp_path / name) for name in ("a", "b", "pm")}
        for user in self.users.values():
            user.declare(manifest, ["pipe"])
        self.numbers = {c["name"]: i + 1 for i, c in enumerate(manifest.data["components"])}
        self.system = System(manifest)
        self.system.__enter__()
        for user in self.users.values():
            user.attach()
        self.a, self.b, self.pm = self.users.values()

    def close(self) -> None:
        self.system.__exit__(None, None, None)
        for user in self.users.values():
            user.close()

    def share(self, stream: Stream, to: str) -> Stream:
        """What the process manager does for a process that inherits."""
        answer = stream.duplicate(self.pm, self.numbers[stream.client.name], self.numbers[to])
        assert answer.status == 0
        return Stream(self.users[to], "pipe", answer.fields("I")[0])

    def pair(self) -> tuple[Stream, Stream]:
        """A pipe that b reads and a writes."""
        reader, writer = make_pipe(self.a)
        theirs = self.share(reader, "b")
        assert reader.close() == 0
        return theirs, writer


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    made = Pipes(tmp_path)
    yield made
    made.close()


def fails(number: int, call, *args) -> None:
    with pytest.raises(OSError) as raised:
        call(*args)
    assert raised.value.errno == number


def pattern(n: int, seed: int = 0) -> bytes:
    return bytes((i * 7 + i // 256 + seed) % 256 for i in range(n))


def test_bytes_in_order(pipes: Pipes):
    reader, writer = pipes.pair()
    data = pattern(300_000)
    got, sent = b"", 0
    while len(got) < len(data):
        if sent < len(data):
            sent += writer.write(data[sent:sent + 40_000])
        got += reader.read(30_000)
    assert got == data


def test_reader_waits(pipes: Pipes):
    reader, writer = pipes.pair()
    fails(errno.EAGAIN, reader.read, 10, 0)
    waiting = [reader.start_read(3) for _ in range(3)]
    assert writer.write(b"abcdefgh") == 8
    assert [w.answer().payload for w in waiting] == [b"abc", b"def", b"gh"]


def test_writer_waits(pipes: Pipes):
    reader, writer = pipes.pair()
    assert writer.write(pattern(PIPE_BYTES)) == PIPE_BYTES
    fails(errno.EAGAIN, writer.write, b"x", 0)
    waiting = writer.start_write(pattern(PIPE_BYTES, 1))
    assert reader.read() == pattern(PIPE_BYTES)
    assert waiting.answer().fields("I") == (PIPE_BYTES,)  # one wake-up, all of it
    assert reader.read() == pattern(PIPE_BYTES, 1)


def test_small_writes_are_atomic(pipes: Pipes):
    reader, writer = pipes.pair()
    writer.write(b"." * (PIPE_BYTES - 10))
    fails(errno.EAGAIN, writer.write, b"x" * PIPE_ATOMIC, 0)
    first = writer.start_write(b"x" * PIPE_ATOMIC)
    second = writer.start_write(b"y")  # would fit, but it is not its turn
    assert writer.waits(second)
    assert reader.read(PIPE_BYTES) == b"." * (PIPE_BYTES - 10)
    assert first.answer().fields("I") == (PIPE_ATOMIC,) and second.answer().fields("I") == (1,)
    assert reader.read() == b"x" * PIPE_ATOMIC + b"y"


def test_large_write_is_taken_in_part(pipes: Pipes):
    reader, writer = pipes.pair()
    writer.write(b"." * (PIPE_BYTES - 10))
    assert writer.write(b"x" * (PIPE_ATOMIC + 1), 0) == 10


def test_nothing_is_moved_at_once(pipes: Pipes):
    reader, writer = pipes.pair()
    assert writer.write(b"") == 0
    assert reader.read(0) == b""


def test_end_of_stream(pipes: Pipes):
    reader, writer = pipes.pair()
    also = pipes.share(writer, "pm")
    writer.write(b"last")
    writer.close()
    assert reader.read() == b"last"
    waiting = reader.start_read()
    also.close()
    answer = waiting.answer()
    assert (answer.status, answer.payload) == (0, b"")
    assert reader.read(10, 0) == b""


def test_nobody_reads(pipes: Pipes):
    reader, writer = pipes.pair()
    writer.write(b"." * PIPE_BYTES)
    waiting = writer.start_write(b"more")
    reader.close()
    assert waiting.answer().status == -errno.EPIPE
    fails(errno.EPIPE, writer.write, b"x")


def test_watch(pipes: Pipes):
    reader, writer = pipes.pair()
    assert writer.watch(IO_OUT | IO_IN) == IO_OUT
    assert reader.watch(IO_IN) == 0
    writer.write(b"abc")
    pipes.b.wait_notified("pipe", IO_READY)
    assert reader.watch(IO_IN) == IO_IN
    writer.write(b"." * (PIPE_BYTES - 3))
    assert writer.watch(IO_OUT) == 0
    reader.read()
    pipes.a.wait_notified("pipe", IO_READY)
    assert reader.watch(IO_OUT) == 0  # never
    writer.close()
    pipes.b.wait_notified("pipe", IO_READY)
    assert reader.watch(IO_IN) == IO_IN | IO_HUP


def test_watch_is_told_once_and_can_be_ended(pipes: Pipes):
    reader, writer = pipes.pair()
    assert reader.watch(IO_IN) == 0
    assert reader.watch(0) == 0
    writer.write(b"a")
    assert reader.read() == b"a"
    assert pipes.b.notified == []
    assert reader.watch(IO_IN) == 0
    writer.write(b"a")
    pipes.b.wait_notified("pipe", IO_READY)
    writer.write(b"a")
    assert reader.read() == b"aa"
    assert pipes.b.notified == []


def test_duplicates_refer_to_the_same(pipes: Pipes):
    reader, writer = pipes.pair()
    me = pipes.numbers["b"]
    answer = reader.duplicate(pipes.b, me, me)
    again = Stream(pipes.b, "pipe", answer.fields("I")[0])
    assert again.handle != reader.handle
    writer.write(b"abc")
    assert reader.read(1) == b"a" and again.read(1) == b"b"
    reader.close()
    assert again.read() == b"c"


def test_only_the_process_manager_gives_to_others(pipes: Pipes):
    reader, writer = pipes.pair()
    a, b = pipes.numbers["a"], pipes.numbers["b"]
    assert writer.duplicate(pipes.a, a, b).status == -errno.EPERM
    assert writer.duplicate(pipes.b, a, b).status == -errno.EPERM
    assert writer.duplicate(pipes.pm, b, a).status == -errno.EBADF
    assert writer.duplicate(pipes.pm, a, 1000).status == -errno.EINVAL
    assert writer.duplicate(pipes.pm, -1, a).status == -errno.EINVAL


def test_wrong_requests(pipes: Pipes):
    reader, writer = pipes.pair()
    fails(errno.EBADF, writer.read)
    fails(errno.EBADF, reader.write, b"x")
    for handle in (0, writer.handle + 1, 65, 2**32 - 1):
        wrong = Stream(pipes.a, "pipe", handle)
        fails(errno.EBADF, wrong.read)
        fails(errno.EBADF, wrong.write, b"x")
        fails(errno.EBADF, wrong.watch, IO_IN)
        assert wrong.close() == -errno.EBADF
    fails(errno.EINVAL, reader.read, 1, 0x80)
    fails(errno.EINVAL, writer.write, b"x", 0x80)
    fails(errno.EINVAL, reader.watch, 0x80)
    assert reader.start_read(offset=0).answer().status == -errno.ESPIPE
    assert writer.start_write(b"x", offset=0).answer().status == -errno.ESPIPE
    assert pipes.a.ask("pipe", 0xB7F).status == -errno.ENOSYS
    for number in (IO_READ, IO_WRITE, IO_CLOSE, IO_WATCH, PIPE_MAKE):
        pipes.a.ask("pipe", number, b"\xff" * 40)
    writer.write(b"still there")
    assert reader.read() == b"still there"


def test_closing_ends_waits(pipes: Pipes):
    reader, writer = pipes.pair()
    waiting = reader.start_read()
    assert reader.waits(waiting)
    reader.close()
    assert waiting.answer().status == -errno.EBADF


def test_too_many_handles(pipes: Pipes):
    made = [make_pipe(pipes.a) for _ in range(HANDLES_MAX // 2)]
    fails(errno.EMFILE, make_pipe, pipes.a)
    made[0][0].close()
    fails(errno.EMFILE, make_pipe, pipes.a)  # one place is too little, and stays free
    me = pipes.numbers["a"]
    assert made[1][0].duplicate(pipes.a, me, me).status == 0
    assert made[1][0].duplicate(pipes.a, me, me).status == -errno.EMFILE
    make_pipe(pipes.b)


def test_a_user_dies(pipes: Pipes):
    reader, writer = pipes.pair()
    other_reader, other_writer = make_pipe(pipes.b)
    their_writer = pipes.share(other_writer, "a")
    waiting = writer.start_read()  # refused, as it is no reader
    assert waiting.answer().status == -errno.EBADF
    reader.start_read()
    pipes.system.kill("b")
    pipes.system.wait(lambda: pipes.system.status()["b"].pid == 0, "its death")
    fails(errno.EPIPE, writer.write, b"x")
    fails(errno.EPIPE, their_writer.write, b"x")


def test_the_server_dies(pipes: Pipes):
    reader, _ = pipes.pair()
    waiting = reader.start_read()
    pipes.system.kill("pipe")
    assert waiting.answer().status < 0
    pipes.system.wait_for_restart("pipe")
    fails(errno.EBADF, reader.read)
    make_pipe(pipes.a)


def test_recovery_keeps_everything(tmp_path: Path):
    pipes = Pipes(tmp_path, recover="state")
    try:
        reader, writer = pipes.pair()
        waiting = reader.start_read(5)
        full, filler = make_pipe(pipes.b)
        filler.write(pattern(PIPE_BYTES))
        blocked = filler.start_write(b"x" * PIPE_ATOMIC)
        assert reader.waits(waiting) and filler.waits(blocked)
        pipes.system.kill("pipe")
        pipes.system.wait(lambda: pipes.system.status()["pipe"].recovered == 1 and
                          pipes.system.status()["pipe"].state == "running", "its recovery")
        assert reader.waits(waiting) and filler.waits(blocked)
        writer.write(b"hello")
        assert waiting.answer().payload == b"hello"
        assert full.read() == pattern(PIPE_BYTES)
        assert blocked.answer().fields("I") == (PIPE_ATOMIC,)
    finally:
        pipes.close()


def test_updates_keep_everything(pipes: Pipes):
    reader, writer = pipes.pair()
    second, second_writer = make_pipe(pipes.b)
    for turn in range(3):
        waiting = reader.start_read(5)
        writer2 = second_writer.start_write(pattern(PIPE_BYTES, turn))
        assert writer2.answer().fields("I") == (PIPE_BYTES,)
        blocked = second_writer.start_write(b"x" * PIPE_ATOMIC)
        pipes.system.prctl("update", "pipe", "self", "-relocate", "-strict")
        assert reader.waits(waiting) and second_writer.waits(blocked)
        assert writer.write(b"hello, all") == 10
        assert waiting.answer().payload == b"hello"
        assert reader.watch(IO_IN) == IO_IN
        assert reader.read() == b", all"
        assert reader.watch(IO_IN) == 0
        pipes.system.prctl("update", "pipe", "self", "-relocate", "-strict")
        assert second.read() == pattern(PIPE_BYTES, turn)
        assert blocked.answer().fields("I") == (PIPE_ATOMIC,)
        assert second.read() == b"x" * PIPE_ATOMIC
        writer.write(b"!")
        pipes.b.wait_notified("pipe", IO_READY)
        assert reader.read() == b"!"


def test_too_many_wait(pipes: Pipes):
    reader, writer = pipes.pair()
    waiting = [reader.start_read(1) for _ in range(WAITERS_MAX)]
    assert reader.start_read(1).answer().status == -errno.ENOMEM
    theirs, _ = make_pipe(pipes.a)
    others = theirs.start_read(1)  # has places of its own
    assert writer.write(b"z" * WAITERS_MAX) == WAITERS_MAX
    assert all(w.answer().payload == b"z" for w in waiting)
    again = reader.start_read(1)
    assert reader.waits(again) and theirs.waits(others)


def test_flags_and_positions_are_checked_before_waiting(pipes: Pipes):
    reader, _ = pipes.pair()
    answer = reader.start_read(1, IO_WAIT, offset=IO_POSITION - 1).answer()
    assert answer.status == -errno.ESPIPE
