"""A memory server and components that share memory as they are told, over a wire each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commanded import Commanded, Refused, Wire  # noqa: F401
from proteos import Manifest, System

READ, WRITE = 1, 3
PAGE = 4096


class Sharer(Commanded):
    """The test's end of one component's wire (tests/components/sharer.c)."""

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

    def __init__(self, tmp_path: Path, names: list[str], args: list[str],
                 settings: dict[str, dict[str, Any]] | None = None):
        """@param settings  more of manifest entries, by name; others are components, too"""
        more = settings or {}
        manifest = Manifest.empty()
        wires = {}
        manifest.add("mm", args=args, kernel=["memory"], restart="always",
                     **more.get("mm", {}))
        for n, name in enumerate(names):
            wires[name] = Wire(manifest, name, tmp_path)
            manifest.add(name, "sharer", calls=[{"to": "mm"}], restart="always",
                         sends=names[:n],  # only so that they know each other's names
                         **more.get(name, {}))
        for name in more.keys() - set(names) - {"mm"}:
            manifest.add(name, calls=[{"to": "mm"}], restart="never", **more[name])
        self.system = System(manifest)
        self.system.__enter__()
        self.sharers = []
        for name, wire in wires.items():
            self.sharers.append(Sharer(wire.accept()))
            setattr(self, name, self.sharers[-1])

    def close(self) -> None:
        for sharer in self.sharers:
            sharer.close()
        self.system.__exit__(None, None, None)
