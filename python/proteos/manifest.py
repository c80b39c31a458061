"""Variants of the manifest."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from .build import BUILD


class Manifest:
    """A system description to change before booting it; starts as the default system's network.
    Manifest.whole() is all of the default system.

    `patience` goes into the time-outs of every description made from then on: for test suites, where
    a machine that stands still for a while should not decide what an update comes to. PATIENT is
    what those use."""

    PATIENT = {"start": 60_000, "load": 60_000, "converge": 60_000, "transfer": 60_000}
    patience: dict[str, int] = {}

    def __init__(self, path: Path | None = None):
        path = path or BUILD / "network.yaml"
        self.data: dict[str, Any] = yaml.safe_load(path.read_text())
        self.data.setdefault("timeouts_ms", {}).update(self.patience)
        self.data["root"] = str((path.parent / self.data.get("root", ".")).resolve())

    @classmethod
    def whole(cls, disk: Path) -> Manifest:
        """The default system, on a disk image (build/disk.img is what users have: copy it)."""
        manifest = cls(BUILD / "system.yaml")
        for wire in manifest.data["wires"]:
            if wire["kind"] == "file":
                wire["path"] = str(disk)
        return manifest

    @classmethod
    def empty(cls, **settings: Any) -> Manifest:
        """Only um and the default's settings, no devices; add components with add(). What is said
        of `timeouts_ms` adds to the default's."""
        manifest = cls()
        for key in ("regions", "wires"):
            manifest.data.pop(key, None)
        manifest.data["components"] = [manifest.component("um")]
        manifest.data["timeouts_ms"].update(settings.pop("timeouts_ms", {}))
        manifest.data.update(settings)
        return manifest

    def copy(self) -> Manifest:
        return copy.deepcopy(self)

    def component(self, name: str) -> dict[str, Any]:
        """A component's entry, to be changed in place."""
        for entry in self.data["components"]:
            if entry["name"] == name:
                return entry
        raise KeyError(name)

    def add(self, name: str, file: str | None = None, **settings: Any) -> Manifest:
        """Adds a component; `file` is an executable below root/bin, or a path."""
        self.data["components"].append({"name": name, "file": file or name, **settings})
        return self

    def add_storage(self, image: Path, cache_bytes: int, *options: str,
                    calls: tuple[str, ...] = ()) -> Manifest:
        """Adds files: a disk on an image, its driver, and storage.

        options   storage's, after its driver's name
        calls     whom it calls beside its driver: mm, for memory that is lent to it"""
        self.data.setdefault("regions", []).extend([
            {"name": "disk0.bar", "bytes": 8192, "share": ["nvme-model", "nvme"]},
            {"name": "disk0.rings", "bytes": 40960, "share": ["nvme-model", "nvme"]},
            {"name": "disk0.frames", "bytes": 65536 + cache_bytes,
             "share": ["nvme-model", "nvme", "storage"]}])
        self.data.setdefault("wires", []).append(
            {"name": "disk0", "kind": "file", "to": "nvme-model", "path": str(image)})
        self.data.setdefault("timeouts_ms", {}).setdefault("stop", 10_000)  # storage writes what it has
        self.add("nvme-model", args=["disk0"], cpu="other", restart="always",
                 syscalls=["pread64", "pwrite64", "fdatasync"])
        self.add("nvme", args=["disk0"], calls=[{"to": "nvme-model"}], restart="always")
        return self.add("storage", args=["disk0", "nvme", *options], restart="always",
                        calls=[{"to": name} for name in ("nvme", *calls)])

    def wire(self, **settings: Any) -> Manifest:
        """Changes the first wire."""
        self.data["wires"][0].update(settings)
        return self

    def text(self) -> str:
        """The file's content."""
        return yaml.safe_dump(self.data, sort_keys=False)

    def write(self, path: Path) -> None:
        path.write_text(self.text())
