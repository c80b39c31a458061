"""Programs and components that do what a test tells them to (tests/components/actor.c)."""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
from typing import Any

from proteos import PATIENCE, Manifest, System

SPAWN, START, SIGNAL, REAP, USAGE, PLACES = range(0x60, 0x66)
PROGRAM_ENDED = 0x70
NOTIFIED, EXITED = 1, 2
TAKEN, STARTED, ENDED = range(3)
ACTOR = "actor"


class Answer:
    """What came of a request: the bus's error or the server's status, its body and payload."""

    def __init__(self, error: int, status: int, body: bytes, payload: bytes):
        self.error = error or status
        self.body = body
        self.payload = payload

    def __getitem__(self, i: int) -> int:
        """A 32-bit field of the body, by position."""
        return struct.unpack_from("<i", self.body, 4 * i)[0]


class Message:
    """What sys_receive() gave."""

    def __init__(self, source: int, type: int, status: int, body: bytes, payload: bytes):
        self.source, self.type, self.status = source, type, status
        self.bits = struct.unpack_from("<Q", body)[0]
        self.body = body[8:]
        self.payload = payload

    def __getitem__(self, i: int) -> int:
        return struct.unpack_from("<i", self.body, 4 * i)[0]


def bytes_of(text: str) -> bytes:
    return b"" if text == "-" else bytes.fromhex(text)


def text_of(data: bytes) -> str:
    return data.hex() or "-"


class Actor:
    """One who waits for commands under a name."""

    def __init__(self, stage: Stage, name: str):
        self.stage = stage
        self.name = name

    def begin(self, command: str) -> None:
        """Gives a command; what comes of it is to be fetched with end()."""
        self.stage.give(self.name, command)

    def end(self) -> str:
        return self.stage.report(self.name)

    def do(self, command: str) -> str:
        self.begin(command)
        return self.end()

    def begin_ask(self, server: str, type: int, body: bytes = b"", payload: bytes = b"") -> None:
        self.begin(f"ask {server} {type:x} {text_of(body)} {text_of(payload)}")

    def end_ask(self) -> Answer:
        error, status, body, payload = self.end().split()
        return Answer(int(error), int(status), bytes_of(body), bytes_of(payload))

    def ask(self, server: str, type: int, body: bytes = b"", payload: bytes = b"") -> Answer:
        self.begin_ask(server, type, body, payload)
        return self.end_ask()

    def kernel(self, type: int, *fields: int, payload: bytes = b"") -> Answer:
        """A kernel call with fields of 32 bits."""
        return self.ask("kernel", type, struct.pack(f"<{len(fields)}i", *fields), payload)

    def receive(self) -> Message:
        self.begin("receive")
        return self.end_receive()

    def end_receive(self) -> Message:
        source, type, status, body, payload = self.end().split()
        return Message(int(source), int(type, 16), int(status), bytes_of(body), bytes_of(payload))

    def waits(self) -> bool:
        """Whether its last command is not done."""
        return not self.stage.has_report(self.name)


class Stage:
    """A system with a director, to which actors can be added as components and as programs."""

    def __init__(self, manifest: Manifest | None = None, faults: bool = False):
        self.directory = tempfile.TemporaryDirectory(prefix="proteos-stage-")
        path = f"{self.directory.name}/director"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(PATIENCE)
        self.sock: Any = None
        self.buffer = b""
        self.reports: dict[str, list[str]] = {}
        self.manifest = manifest or Manifest.empty()
        self.manifest.add("director", restart="never")
        self.manifest.data.setdefault("wires", []).append(
            {"name": "director", "kind": "stream", "to": "director", "path": path})
        self.system = System(self.manifest, faults=faults)

    def add(self, name: str, calls: list[str] = [], **settings: Any) -> Stage:
        """A component that is an actor."""
        calls = ["director", *calls]
        self.manifest.add(name, file=ACTOR, calls=[{"to": to} for to in calls],
                          **{"restart": "never", **settings})
        return self

    def programs(self, by: str, at_most: int = 4, calls: list[str] = []) -> Stage:
        calls = ["director", *calls]
        self.manifest.data["programs"] = {"by": by, "at-most": at_most,
                                          "calls": [{"to": to} for to in calls]}
        return self

    def __enter__(self) -> Stage:
        self.system.__enter__()
        return self

    def __exit__(self, *how: Any) -> None:
        try:
            self.system.__exit__(*how)
        finally:
            for sock in (self.sock, self.listener):
                if sock:
                    sock.close()
            self.directory.cleanup()

    def actor(self, name: str) -> Actor:
        """An actor that has come, or is about to; its first report is that it is there."""
        found = Actor(self, name)
        assert found.end() == ""
        return found

    # -- the wire ------------------------------------------------------------------------------

    def _wire(self) -> socket.socket:
        """Plugged in by the bus while it boots."""
        if not self.sock:
            self.sock, _ = self.listener.accept()
            self.sock.settimeout(PATIENCE)
        return self.sock

    def give(self, name: str, command: str) -> None:
        self._wire().sendall(f"{name} {command}\n".encode())

    def _take_lines(self) -> None:
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            name, _, text = line.decode().partition(" ")
            self.reports.setdefault(name, []).append(text)

    def report(self, name: str) -> str:
        while not self.reports.get(name):
            data = self._wire().recv(65536)
            assert data, "the director is gone"
            self.buffer += data
            self._take_lines()
        return self.reports[name].pop(0)

    def has_report(self, name: str) -> bool:
        self._wire().setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self.buffer += self.sock.recv(65536)
        self.sock.settimeout(PATIENCE)
        self._take_lines()
        return bool(self.reports.get(name))
