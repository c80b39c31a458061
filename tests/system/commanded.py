"""Components that do what the test says, over a stream wire each (tests/components/command.h)."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from proteos import PATIENCE, Manifest


class Refused(Exception):
    """A command's status, a positive errno."""

    def __init__(self, errno: int, line: str):
        super().__init__(line)
        self.errno = errno


class Commanded:
    """The test's end of one component's wire."""

    def __init__(self, wire: socket.socket):
        self.wire = wire
        self.wire.settimeout(PATIENCE)
        self.lines = wire.makefile("r", encoding="ascii")

    def close(self) -> None:
        self.lines.close()
        self.wire.close()

    def send(self, *words: Any) -> None:
        self.wire.sendall((" ".join(str(w) for w in words) + "\n").encode())

    def answer(self) -> list[str]:
        line = self.lines.readline()
        assert line.endswith("\n"), f"no answer, but {line!r}"
        status, *rest = line.split()
        if int(status):
            raise Refused(-int(status), line)
        return rest

    def do(self, *words: Any) -> list[str]:
        self.send(*words)
        return self.answer()


class Wire:
    """What a commanded component is plugged into, until it has been booted."""

    def __init__(self, manifest: Manifest, name: str, folder: Path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / name))
        self.listener.listen(1)
        manifest.data.setdefault("wires", []).append(
            {"name": name, "kind": "stream", "to": name, "path": str(folder / name)})

    def accept(self) -> socket.socket:
        wire, _ = self.listener.accept()
        self.listener.close()
        return wire
