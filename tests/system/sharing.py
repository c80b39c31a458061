"""A memory server and components that share memory as they are told, over a wire each."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from proteos import Manifest, System

READ, WRITE = 1, 3
PAGE = 4096


class Refused(Exception):
    """A command's status, a positive errno."""

    def __init__(self, errno: int, line: str):
        super().__init__(line)
        self.errno = errno


class Sharer:
    """The test's end of one component's wire (tests/components/sharer.c)."""

    def __init__(self, wire: socket.socket):
        self.wire = wire
        self.wire.settimeout(60)
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

    def create(self, size: int, segment: int = 0) -> tuple[int, int]:
        """Area and the owner's own grant."""
        area, grant = self.do("create", size, segment)
        return int(area), int(grant)

    def grant(self, area: int, to: str, first: int, size: int, rights: int) -> int:
        return int(self.do("grant", area, to, first, size, rights)[0])

    def map(self, grant: int) -> int:
        """Bytes."""
        return int(self.do("map", grant)[0])

    def poke(self, grant: int, offset: int, value: int) -> None:
        self.do("poke", grant, offset, value)

    def peek(self, grant: int, offset: int) -> int:
        return int(self.do("peek", grant, offset)[0])

    def accounts(self) -> dict[str, list[int]]:
        """By name: areas, bytes, quota, grants, mapped."""
        entries = (entry.rsplit(":", 5) for entry in self.do("list"))
        return {name: [int(v) for v in values] for name, *values in entries}


class Sharing:
    """A running system: mm and the sharers, as attributes by name."""

    def __init__(self, tmp_path: Path, names: list[str], args: list[str], **mm: Any):
        manifest = Manifest.empty()
        manifest.data["wires"] = []
        listeners = {}
        manifest.add("mm", args=args, kernel=["memory"], restart="always", **mm)
        for n, name in enumerate(names):
            path = tmp_path / name
            listeners[name] = socket.socket(socket.AF_UNIX)
            listeners[name].bind(str(path))
            listeners[name].listen(1)
            manifest.data["wires"].append({"name": name, "kind": "stream", "to": name,
                                           "path": str(path)})
            manifest.add(name, "sharer", calls=[{"to": "mm"}], restart="always",
                         sends=names[:n])  # only so that they know each other's names
        self.system = System(manifest)
        self.system.__enter__()
        self.sharers = []
        for name, listener in listeners.items():
            wire, _ = listener.accept()
            listener.close()
            self.sharers.append(Sharer(wire))
            setattr(self, name, self.sharers[-1])

    def close(self) -> None:
        for sharer in self.sharers:
            sharer.close()
        self.system.__exit__(None, None, None)
