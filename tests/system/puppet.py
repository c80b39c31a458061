"""Components that do what a test says (tests/components/puppet.c): clients and servers of any
interface, whose messages are written in Python."""

from __future__ import annotations

import itertools
import queue
import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable

from proteos import Manifest
from proteos.waiting import PATIENCE, wait_for


def body(form: str, *values: int) -> bytes:
    """A message's fields, of the types that struct calls `form`, aligned as in C."""
    return struct.pack("@" + form, *values)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    payload: bytes

    def fields(self, form: str) -> tuple[int, ...]:
        return struct.unpack_from("@" + form, self.body)


@dataclass(frozen=True)
class Request:
    token: int
    source: str
    type: int
    body: bytes
    payload: bytes

    def fields(self, form: str) -> tuple[int, ...]:
        return struct.unpack_from("@" + form, self.body)


class Call:
    """A request that has been sent. It is answered sometime."""

    def __init__(self, what: str):
        self.what = what
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._answer: Answer | None = None

    def settle(self, answer: Answer) -> None:
        self._answers.put(answer)

    def done(self) -> bool:
        return self._answer is not None or not self._answers.empty()

    def answer(self) -> Answer:
        """Waits for the answer."""
        if self._answer is None:
            try:
                self._answer = self._answers.get(timeout=PATIENCE)
            except queue.Empty:
                raise TimeoutError(f"{self.what} was not answered") from None
        return self._answer


Handler = Callable[["Puppet", Request], None]


class Puppet:
    """One of them. `handler` is called with each request that it gets, in a thread of its own."""

    def __init__(self, name: str, path: Path, handler: Handler | None = None):
        self.name = name
        self.path = path
        self.handler = handler
        self.requests: list[Request] = []
        self.notified: list[tuple[str, int]] = []
        self.gone: list[int] = []
        self._lock = threading.Lock()  # of `notified`
        self._calls: dict[int, Call] = {}
        self._cookies = itertools.count(1)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._wire: socket.socket | None = None

    def declare(self, manifest: Manifest, calls: Iterable[str], **settings: Any) -> None:
        """Puts it into a manifest."""
        manifest.data.setdefault("wires", []).append(
            {"name": f"puppet-{self.name}", "kind": "stream", "to": self.name,
             "path": str(self.path)})
        manifest.add(self.name, "puppet", calls=[{"to": c} for c in calls], restart="never",
                     calls_max=64, **settings)

    def attach(self) -> None:
        """Once the system runs."""
        self._wire, _ = self._listener.accept()
        self._listener.close()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        if self._wire:
            self._wire.shutdown(socket.SHUT_RDWR)
            self._wire.close()

    def _listen(self) -> None:
        assert self._wire
        with self._wire.makefile() as lines:
            try:
                for line in lines:
                    self._heard(line.split())
            except (OSError, ValueError):
                return

    @staticmethod
    def _bytes(text: str) -> bytes:
        return b"" if text == "-" else bytes.fromhex(text)

    def _heard(self, words: list[str]) -> None:
        if words[0] == "reply":
            answer = Answer(int(words[2]), self._bytes(words[3]), self._bytes(words[4]))
            self._calls.pop(int(words[1])).settle(answer)
        elif words[0] == "request":
            request = Request(int(words[1]), words[2], int(words[3], 16), self._bytes(words[4]),
                              self._bytes(words[5]))
            self.requests.append(request)
            if self.handler:
                self.handler(self, request)
        elif words[0] == "notified":
            with self._lock:
                self.notified.append((words[1], int(words[2], 16)))
        elif words[0] == "exited":
            self.gone.append(int(words[1]))

    def _say(self, *words: object) -> None:
        assert self._wire
        self._wire.sendall((" ".join(map(str, words)) + "\n").encode())

    def call(self, component: str, type: int, fields: bytes = b"", payload: bytes = b"") -> Call:
        """Sends a request."""
        cookie = next(self._cookies)
        self._calls[cookie] = call = Call(f"{self.name}'s request {type:#x} to {component}")
        self._say("call", cookie, component, f"{type:x}", fields.hex() or "-",
                  payload.hex() or "-")
        return call

    def ask(self, component: str, type: int, fields: bytes = b"", payload: bytes = b"") -> Answer:
        """The same, and waits for the answer."""
        return self.call(component, type, fields, payload).answer()

    def reply(self, request: Request, status: int = 0, fields: bytes = b"",
              payload: bytes = b"") -> None:
        self._say("answer", request.token, status, fields.hex() or "-", payload.hex() or "-")

    def notify(self, component: str, bits: int) -> None:
        self._say("notify", component, f"{bits:x}")

    def wait_notified(self, source: str, bits: int) -> None:
        """Waits for a notification with these bits, which is forgotten then."""
        wait_for(lambda: any(s == source and b & bits for s, b in self.notified),
                 f"{source}'s notification {bits:#x} to {self.name}")
        with self._lock:
            self.notified = [(s, b) for s, b in self.notified if s != source or not b & bits]
