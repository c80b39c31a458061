"""The storage server over crashes, failures of the disk, and updates: nothing that was synced is lost."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import threading
from pathlib import Path
from typing import Iterator

import pytest

from filing import (CREATE, FS_SYNC_FILE, IO_READ, IO_WRITE, READ, WRITE, Failed, Filer, Lost,
                    Storage, check_image, debugfs)
from fsx import Fsx
from stored import answers, filer, image, storage, until_back, until_dead  # noqa: F401 (fixtures)


# ---- crashes ----

def test_journal_is_replayed_after_a_crash(storage: Storage, filer: Filer):
    filer.make_dir("/d")
    handle = filer.open("/d/f", WRITE | CREATE)
    filer.write_all(handle, b"kept" * 5000)
    filer.sync_file(handle)
    filer.put("/gone", b"not synced")
    storage.system.kill("storage")
    until_back(storage)
    assert filer.get("/d/f") == b"kept" * 5000
    storage.says("the journal was replayed")
    storage.end()


def image_after_power_cut(storage: Storage, copy: Path) -> Path:
    """As the disk has it then; nobody has seen it since."""
    for name in ("nvme-model", "storage"):
        storage.system.kill(name)
        until_dead(storage, name)
    shutil.copy(storage.image, copy)
    return copy


def replay_by_e2fsck(image: Path) -> None:
    """Only the journal is replayed, and files without names are removed. (That an extent tree could
    be shorter is no error.)"""
    done = subprocess.run(["e2fsck", "-fy", "-E", "no_optimize_extents", str(image)], text=True,
                          stdout=subprocess.PIPE)
    assert "recovering journal" in done.stdout
    wrong = [line for line in done.stdout.splitlines()
             if "FIXED" in line or "? yes" in line or "Fix" in line]
    assert not wrong, done.stdout
    check_image(image)


@pytest.fixture
def mortal(tmp_path: Path, image: Path) -> Iterator[Storage]:
    """One whose disk and server are not started again."""
    storage = Storage(tmp_path, image, cache_bytes=4 << 20)
    for name in ("storage", "nvme", "nvme-model"):
        storage.system.manifest.component(name)["restart"] = "never"
    with storage:
        yield storage


def test_e2fsck_replays_the_journal(mortal: Storage, tmp_path: Path):
    filer = mortal.filer
    handle = filer.open("/f", WRITE | CREATE)
    filer.write_all(handle, b"kept" * 50_000)
    filer.make_dir("/d")
    filer.sync_file(handle)
    for i in range(50):
        filer.put(f"/d/{i}", b"x" * 5000)
    copy = image_after_power_cut(mortal, tmp_path / "copy.img")
    replay_by_e2fsck(copy)
    assert debugfs(copy, "cat /f") == "kept" * 50_000


@pytest.mark.parametrize("seed", range(3))
def test_e2fsck_after_random_operations(mortal: Storage, tmp_path: Path, seed: int):
    Fsx(mortal, seed).run(operations=300 * (seed + 1), updates=0, crashes=0)
    replay_by_e2fsck(image_after_power_cut(mortal, tmp_path / "copy.img"))


@pytest.mark.parametrize("victim", ["nvme", "nvme-model"])
def test_disk_that_fails_loses_nothing(storage: Storage, filer: Filer, victim: str):
    data = {}
    for i in range(1, 9):
        path = f"/f{i}"
        data[path] = bytes([i]) * (i * 30000)
        handle = filer.open(path, WRITE | CREATE)
        filer.write_all(handle, data[path])
        if i % 2:
            filer.sync_file(handle)
        filer.close_file(handle)
        if i % 3 == 0:
            storage.system.kill(victim)
    for path, content in data.items():
        assert filer.get(path) == content
    filer.sync()
    storage.system.kill("storage")
    until_back(storage)
    for path, content in data.items():
        assert filer.get(path) == content
    storage.end()


def test_media_errors_are_tried_again(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, faults=True) as storage:
        for point in ("nvme.write", "nvme.sync", "nvme.read"):
            storage.system.prctl("fault", "nvme-model", point, "error")
            storage.filer.put("/f", b"x" * 100_000)
            storage.filer.sync()
        assert storage.filer.get("/f") == b"x" * 100_000
        storage.end()


# ---- several at once, updates ----

class Appender(threading.Thread):
    """Appends records to a file of its own, and notes which were synced."""

    def __init__(self, filer: Filer, name: str):
        super().__init__()
        self.filer, self.path = filer, f"/{name}"
        self.synced = 0
        self.records = 0
        self.ends = threading.Event()

    @staticmethod
    def record(number: int) -> bytes:
        return struct.pack("<Q", number) * 100

    def run(self) -> None:
        while not self.ends.is_set():
            try:
                self._append()
            except (Lost, Failed):
                pass  # storage was restarted: the handle is gone

    def _append(self) -> None:
        handle = self.filer.open(self.path, READ | WRITE | CREATE)
        self.records = self.filer.stat_file(handle).bytes // len(self.record(0))
        assert self.records >= self.synced, f"{self.path}: {self.records} of {self.synced} records"
        while not self.ends.is_set():
            self.filer.write_all(handle, self.record(self.records),
                                 self.records * len(self.record(0)))
            self.records += 1
            if self.records % 7 == 0:
                self.filer.sync_file(handle)
                self.synced = self.records

    def check(self) -> None:
        data = self.filer.get(self.path)
        for i in range(self.synced):
            at = i * len(self.record(i))
            assert data[at:at + len(self.record(i))] == self.record(i), f"record {i}"


@pytest.fixture
def appenders(tmp_path: Path, image: Path) -> Iterator[tuple[Storage, list[Appender]]]:
    names = ("one", "two", "three")
    with Storage(tmp_path, image, clients=names) as storage:
        running = [Appender(storage.filers[name], name) for name in names]
        for appender in running:
            appender.start()
        try:
            yield storage, running
        finally:
            for appender in running:
                appender.ends.set()
            for appender in running:
                appender.join()
        for appender in running:
            storage.system.wait(lambda: answers(appender.filer), "storage")
            appender.check()
        storage.end()


def progress(storage: Storage, running: list[Appender]) -> None:
    before = [a.synced for a in running]
    storage.system.wait(lambda: all(a.synced > b for a, b in zip(running, before)), "the appenders")


@pytest.mark.parametrize("victims", [("storage",), ("nvme",), ("nvme-model",),
                                     ("nvme-model", "storage")], ids="+".join)
def test_appenders_lose_nothing_synced(appenders, victims: tuple[str, ...]):
    storage, running = appenders
    for _ in range(4):
        progress(storage, running)
        for victim in victims:
            storage.system.kill(victim)
    progress(storage, running)


@pytest.mark.parametrize("options", [[], ["-relocate", "-strict"]], ids=["plain", "relocate"])
@pytest.mark.parametrize("names", [("storage",), ("storage", "nvme", "nvme-model", "um", "busd")],
                         ids="+".join)
def test_updates_under_load(appenders, names: tuple[str, ...], options: list[str]):
    storage, running = appenders
    for i in range(1, 5):
        progress(storage, running)
        for name in names:
            storage.system.prctl("mupdate", name, "self", *(options if name == "storage" else []))
        storage.system.prctl("mupdate-start")
        status = storage.system.status()["storage"]
        assert (status.updates, status.restarts) == (i, 0)
    progress(storage, running)


def test_update_while_requests_wait(tmp_path: Path, image: Path):
    """Reads, a write into the middle of a block, and a sync, which all need the disk."""
    names = ("reader", "writer", "syncer", "other")
    with Storage(tmp_path, image, clients=names, cache_bytes=1 << 20) as storage:
        reader, writer, syncer, other = storage.filers.values()
        other.put("/old", b"o" * (3 << 20))
        other.put("/new", b"n" * 10_000)
        other.put("/push", b"p" * (2 << 20))  # the others are no longer in the cache
        other.sync()
        handles = {f: f.open(path, READ | WRITE)
                   for f, path in ((reader, "/old"), (writer, "/old"), (syncer, "/new"))}
        syncer.write_all(handles[syncer], b"N" * 10_000, 0)
        storage.system.suspend("nvme")
        reader.send(IO_READ, struct.pack("<QIII", 0, handles[reader], 10_000, 1))
        writer.send(IO_WRITE, struct.pack("<QII", 1_000_001, handles[writer], 1), b"w" * 10_000)
        syncer.send(FS_SYNC_FILE, struct.pack("<I", handles[syncer]))
        assert other.counts()["version"] == 1
        for i in range(1, 4):
            storage.system.prctl("update", "storage", "self", "-relocate", "-strict")
            assert storage.system.status()["storage"].updates == i
        storage.system.resume("nvme")
        assert reader.receive()[1] == b"o" * 10_000
        writer.receive()
        syncer.receive()
        assert other.read(other.open("/old", READ), 10_004, 999_999) == \
            b"oo" + b"w" * 10_000 + b"oo"
        storage.end()


def test_updates_keep_files_open(storage: Storage, filer: Filer):
    handle, expected = filer.open("/log", READ | WRITE | CREATE), b""
    for i in range(1, 6):
        more = bytes([i]) * 20000
        filer.write_all(handle, more)
        expected += more
        storage.system.prctl("update", "storage", "self", "-relocate", "-strict")
        if i % 2:
            filer.sync_file(handle)
        assert filer.read_all(handle) == expected
        filer.make_dir(f"/d{i}")
    storage.end()


def test_random_operations(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, cache_bytes=4 << 20) as storage:
        fsx = Fsx(storage, seed=random.SystemRandom().randrange(1 << 32))
        print("seed", fsx.seed)
        fsx.run(operations=3000, updates=3, crashes=4)
        storage.end()
