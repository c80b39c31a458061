"""Clients of servers of streams: the messages of libsys/if/io.h, pipe.h and tty.h."""

from __future__ import annotations

from puppet import Answer, Call, Puppet, body

IO_READ, IO_WRITE, IO_CLOSE, IO_DUPLICATE, IO_WATCH = range(0x800, 0x805)
IO_WAIT, IO_POSITION = 1, 2**64 - 1
IO_IN, IO_OUT, IO_HUP = 1, 2, 4
IO_READY = 2
PIPE_MAKE, PIPE_BYTES, PIPE_ATOMIC = 0xB40, 65536, 4096


class Stream:
    """A handle of a puppet's at a server."""

    def __init__(self, client: Puppet, server: str, handle: int):
        self.client = client
        self.server = server
        self.handle = handle

    def start_read(self, most: int = 65536, flags: int = IO_WAIT,
                   offset: int = IO_POSITION) -> Call:
        return self.client.call(self.server, IO_READ, body("QIII", offset, self.handle, most, flags))

    def read(self, most: int = 65536, flags: int = IO_WAIT) -> bytes:
        answer = self.start_read(most, flags).answer()
        if answer.status:
            raise OSError(-answer.status, "IO_READ")
        return answer.payload

    def start_write(self, data: bytes, flags: int = IO_WAIT, offset: int = IO_POSITION) -> Call:
        return self.client.call(self.server, IO_WRITE, body("QII", offset, self.handle, flags), data)

    def write(self, data: bytes, flags: int = IO_WAIT) -> int:
        answer = self.start_write(data, flags).answer()
        if answer.status:
            raise OSError(-answer.status, "IO_WRITE")
        return answer.fields("I")[0]

    def close(self) -> int:
        return self.client.ask(self.server, IO_CLOSE, body("I", self.handle)).status

    def watch(self, events: int) -> int:
        answer = self.client.ask(self.server, IO_WATCH, body("II", self.handle, events))
        if answer.status:
            raise OSError(-answer.status, "IO_WATCH")
        return answer.fields("I")[0]

    def duplicate(self, by: Puppet, source: int, to: int) -> Answer:
        return by.ask(self.server, IO_DUPLICATE, body("Iii", self.handle, source, to))


def make_pipe(client: Puppet) -> tuple[Stream, Stream]:
    answer = client.ask("pipe", PIPE_MAKE)
    if answer.status:
        raise OSError(-answer.status, "PIPE_MAKE")
    reader, writer = answer.fields("II")
    return Stream(client, "pipe", reader), Stream(client, "pipe", writer)
