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

    def waits(self, call: Call) -> bool:
        """Whether an earlier request of the same client is not answered, although it was heard."""
        self.watch(0)
        return not call.done()

    def duplicate(self, by: Puppet, source: int, to: int) -> Answer:
        return by.ask(self.server, IO_DUPLICATE, body("Iii", self.handle, source, to))


def make_pipe(client: Puppet) -> tuple[Stream, Stream]:
    answer = client.ask("pipe", PIPE_MAKE)
    if answer.status:
        raise OSError(-answer.status, "PIPE_MAKE")
    reader, writer = answer.fields("II")
    return Stream(client, "pipe", reader), Stream(client, "pipe", writer)


TTY_OPEN, TTY_GET, TTY_SET, TTY_SIZE, TTY_SET_SIZE, TTY_GET_GROUP, TTY_SET_GROUP = range(0xB80, 0xB87)
TTY_CANONICAL, TTY_ECHO, TTY_SIGNALS, TTY_CR_TO_NL, TTY_NL_TO_CRNL = (1 << i for i in range(5))
TTY_ALL = 31
USUAL_CONTROLS = bytes([0x03, 0x1C, 0x1A, 0x7F, 0x15, 0x17, 0x04, 0x16])
PROC_SPAWN, PROC_WAIT, PROC_KILL, PROC_GET = 0xB01, 0xB02, 0xB03, 0xB07


class Terminal(Stream):
    """A handle of the console."""

    @staticmethod
    def open(client: Puppet) -> Terminal:
        answer = client.ask("tty", TTY_OPEN)
        if answer.status:
            raise OSError(-answer.status, "TTY_OPEN")
        return Terminal(client, "tty", answer.fields("I")[0])

    def modes(self) -> tuple[int, bytes]:
        payload = self.client.ask("tty", TTY_GET, body("I", self.handle)).payload
        return int.from_bytes(payload[:4], "little"), payload[4:]

    def set_modes(self, flags: int, controls: bytes = USUAL_CONTROLS, drop: bool = False) -> int:
        return self.client.ask("tty", TTY_SET, body("II", self.handle, drop),
                               flags.to_bytes(4, "little") + controls).status

    def size(self) -> tuple[int, ...]:
        """Columns and rows."""
        return self.client.ask("tty", TTY_SIZE, body("I", self.handle)).fields("II")

    def set_size(self, columns: int, rows: int) -> int:
        return self.client.ask("tty", TTY_SET_SIZE, body("III", self.handle, columns, rows)).status

    def group(self) -> int:
        return self.client.ask("tty", TTY_GET_GROUP, body("I", self.handle)).fields("i")[0]

    def set_group(self, group: int) -> int:
        return self.client.ask("tty", TTY_SET_GROUP, body("Ii", self.handle, group)).status
