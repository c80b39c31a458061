#!/usr/bin/env python3
"""Random operations on files against a model in memory, across updates and crashes (after fsx). By hand:
tests/system/fsx.py --operations 100000 --updates 50 --crashes 50 [--seed N]."""

from __future__ import annotations

import argparse
import errno
import random
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from filing import APPEND, CREATE, READ, WRITE, Failed, Filer, Lost, Storage, make_image  # noqa: E402

VICTIMS = [("storage",), ("nvme",), ("nvme-model",), ("storage", "nvme-model"),
           ("nvme", "nvme-model"), ("storage", "nvme", "nvme-model")]
FILES = 12
SIZE_MAX = 300_000


def difference(got: bytes, expected: bytes) -> str:
    for i, (a, b) in enumerate(zip(got, expected)):
        if a != b:
            return f"{len(got)} bytes of {len(expected)}, of which number {i} is {a} and not {b}"
    return f"{len(got)} bytes instead of {len(expected)}"


class Model:
    """What the files hold, and of which it is certain that they outlive a crash."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.kept: set[str] = set()  # synced, and not changed since
        self.handles: dict[str, int] = {}


class Fsx:
    def __init__(self, storage: Storage, seed: int):
        self.storage = storage
        self.filer: Filer = storage.filer
        self.seed = seed
        self.random = random.Random(seed)
        self.model = Model()
        self.counts = dict.fromkeys(["operations", "updates", "crashes", "lost"], 0)
        self.filer.make_dir("/d")

    # -- helpers ---------------------------------------------------------------------------------

    def _path(self) -> str:
        n = self.random.randrange(FILES)
        return f"/d/f{n}" if n % 2 else f"/f{n}"

    def _some(self) -> str | None:
        return self.random.choice(sorted(self.model.files)) if self.model.files else None

    def _handle(self, path: str) -> int:
        if path not in self.model.handles:
            self.model.handles[path] = self.filer.open(path, READ | WRITE)
        return self.model.handles[path]

    def _close(self, path: str) -> None:
        if path in self.model.handles:
            self.filer.close_file(self.model.handles.pop(path))

    def _data(self) -> bytes:
        return self.random.randbytes(self.random.choice([1, 100, 4096, 5000, 20000, 65536]))

    def _changed(self, path: str) -> None:
        self.model.kept.discard(path)

    # -- operations ------------------------------------------------------------------------------

    def create(self) -> None:
        path = self._path()
        flags = READ | WRITE | CREATE
        if path not in self.model.files:
            self._changed(path)
            self.model.files[path] = bytearray()
        self._close(path)
        self.model.handles[path] = self.filer.open(path, flags)

    def write(self) -> None:
        path, data = self._some(), self._data()
        if not path:
            return
        content = self.model.files[path]
        at = self.random.randrange(min(len(content) + 10000, SIZE_MAX))
        self._changed(path)
        taken = self.filer.write(self._handle(path), data, at)
        if at > len(content):
            content.extend(bytes(at - len(content)))
        content[at:at + taken] = data[:taken]

    def append(self) -> None:
        path, data = self._some(), self._data()
        if not path or len(self.model.files[path]) > SIZE_MAX:
            return
        self._changed(path)
        handle = self.filer.open(path, WRITE | APPEND)
        taken = self.filer.write(handle, data)
        self.filer.close_file(handle)
        self.model.files[path].extend(data[:taken])

    def read(self) -> None:
        path = self._some()
        if not path:
            return
        content = self.model.files[path]
        at, n = self.random.randrange(len(content) + 1), self.random.randrange(1, 65536)
        got = self.filer.read(self._handle(path), n, at)
        assert got == content[at:at + n], f"{path} at {at}: {difference(got, content[at:at + n])}"

    def truncate(self) -> None:
        path = self._some()
        if not path:
            return
        content = self.model.files[path]
        size = self.random.randrange(len(content) * 5 // 4 + 1)
        self._changed(path)
        self.filer.truncate(self._handle(path), size)
        if size < len(content):
            del content[size:]
        else:
            content.extend(bytes(size - len(content)))

    def rename(self) -> None:
        old, new = self._some(), self._path()
        if not old or old == new:
            return
        self._close(new)
        self._close(old)
        self._changed(old)
        self._changed(new)
        self.filer.rename(old, new)
        self.model.files[new] = self.model.files.pop(old)

    def remove(self) -> None:
        path = self._some()
        if not path or self.random.random() < 0.5:
            return
        self._changed(path)
        kept_open = self.random.random() < 0.3
        handle = self._handle(path) if kept_open else None
        if not kept_open:
            self._close(path)
        self.filer.remove(path)
        content = self.model.files.pop(path)
        if handle is not None:
            assert self.filer.read_all(handle) == content
            self._close(path)

    def fsync(self) -> None:
        path = self._some()
        if not path:
            return
        self.filer.sync_file(self._handle(path))
        self.model.kept.add(path)

    def sync(self) -> None:
        self.filer.sync()
        self.model.kept = set(self.model.files)

    def reopen(self) -> None:
        path = self._some()
        if path:
            self._close(path)
            self._handle(path)

    def stat(self) -> None:
        path = self._some()
        if path:
            assert self.filer.stat(path).bytes == len(self.model.files[path])

    OPERATIONS = [(create, 6), (write, 30), (append, 10), (read, 25), (truncate, 8), (rename, 5),
                  (remove, 4), (fsync, 4), (sync, 0.3), (reopen, 4), (stat, 4)]

    # -- crashes and updates ---------------------------------------------------------------------

    def update(self) -> None:
        options = self.random.choice([[], ["-relocate"]])
        for name in self.random.choice([("storage",), ("storage", "nvme"), ("nvme-model", "storage")]):
            self.storage.system.prctl("mupdate", name, "self", *options)
        self.storage.system.prctl("mupdate-start")
        self.counts["updates"] += 1

    def crash(self) -> None:
        victims = self.random.choice(VICTIMS)
        before = self.storage.system.status()["storage"].restarts
        for name in victims:
            self.storage.system.kill(name)
        self.counts["crashes"] += 1
        if "storage" in victims:
            self.storage.system.wait_for_restart("storage", before + 1)
            raise Lost("the handles are gone")

    def check_after_loss(self) -> None:
        """storage has started afresh: what was kept is there, and what else is there is the model now."""
        self.counts["lost"] += 1
        self.model.handles.clear()
        self.storage.system.wait(self._is_back, "storage to be back")
        for path in sorted(self.model.kept):
            assert self.filer.get(path) == self.model.files[path], f"{path} was synced"
        found = {f"/{name}" for name, kind in self.filer.list("/").items() if kind == 8}
        if "d" in self.filer.list("/"):
            found |= {f"/d/{name}" for name, kind in self.filer.list("/d").items() if kind == 8}
        else:
            self.filer.make_dir("/d")
        self.model.files = {path: bytearray(self.filer.get(path)) for path in found}
        self.model.kept &= found

    def _is_back(self) -> bool:
        try:
            self.filer.stat("/")
        except Lost:
            return False
        except Failed as error:
            if error.errno != errno.EIO:
                raise
            return False
        return True

    def check_all(self) -> None:
        for path, content in self.model.files.items():
            assert self.filer.get(path) == content, path

    # -- the run ---------------------------------------------------------------------------------

    def step(self) -> None:
        operations, weights = zip(*self.OPERATIONS)
        try:
            self.random.choices(operations, weights)[0](self)
        except Lost:
            self.check_after_loss()
        self.counts["operations"] += 1

    def run(self, operations: int, updates: int, crashes: int) -> None:
        events = [self.update] * updates + [self.crash] * crashes
        self.random.shuffle(events)
        every = operations // (len(events) + 1)
        for i in range(operations):
            if events and i % every == every - 1:
                try:
                    events.pop()()
                except Lost:
                    self.check_after_loss()
            self.step()
        try:
            self.check_all()
        except Lost:
            self.check_after_loss()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--updates", type=int, default=50)
    parser.add_argument("--crashes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fsx-") as folder:
        image = make_image(Path(folder, "disk.img"), 64)
        with Storage(Path(folder), image, cache_bytes=4 << 20) as storage:
            fsx = Fsx(storage, args.seed)
            fsx.run(args.operations, args.updates, args.crashes)
            commits = storage.filer.counts()["commits"]
            storage.end()
    print(f"{fsx.counts['operations']} operations, {fsx.counts['updates']} updates, "
          f"{fsx.counts['crashes']} crashes, after {fsx.counts['lost']} of which all was read again; "
          f"{commits} commits since the last; e2fsck found nothing")


if __name__ == "__main__":
    main()
