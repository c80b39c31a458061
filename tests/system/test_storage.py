"""The storage server: files on an ext4 image."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from filing import CREATE, READ, WRITE, Filer, Lost, Storage, debugfs, make_image


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "disk.img", 64)


@pytest.fixture
def storage(tmp_path: Path, image: Path) -> Iterator[Storage]:
    with Storage(tmp_path, image) as running:
        yield running


@pytest.fixture
def filer(storage: Storage) -> Filer:
    return storage.filer


def test_file_is_read_as_it_was_written(storage: Storage, filer: Filer, image: Path):
    data = bytes(range(256)) * 1000
    filer.put("/new", data)
    assert filer.get("/new") == data
    assert filer.stat("/new").bytes == len(data)
    filer.make_dir("/folder")
    filer.put("/folder/inner", b"inside")
    assert filer.list("/") == {".": 4, "..": 4, "lost+found": 4, "new": 8, "folder": 4}
    handle = filer.open("/new", WRITE)
    filer.sync_file(handle)
    storage.end()
    assert debugfs(image, "cat /folder/inner") == "inside"


def lines(system_log: str, text: str) -> list[str]:
    return [line for line in system_log.splitlines() if text in line]


def test_journal_is_replayed_after_a_crash(storage: Storage, filer: Filer, image: Path):
    filer.make_dir("/d")
    handle = filer.open("/d/f", WRITE | CREATE)
    filer.write_all(handle, b"kept" * 5000)
    filer.sync_file(handle)
    filer.put("/gone", b"not synced")
    storage.system.kill("storage")
    until_back(storage, filer)
    assert filer.get("/d/f") == b"kept" * 5000
    assert "the journal was replayed" in storage.system.log("storage")
    storage.end()


def until_back(storage: Storage, filer: Filer) -> None:
    """Waits until the server answers again."""
    def answers() -> bool:
        try:
            filer.stat("/")
        except Lost:
            return False
        return True
    storage.system.wait(answers, "storage to be back")


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
    until_back(storage, filer)
    for path, content in data.items():
        assert filer.get(path) == content
    storage.end()


@pytest.mark.parametrize("options", [[], ["-relocate", "-strict"]])
def test_updates_keep_files_open(storage: Storage, filer: Filer, options: list[str]):
    handle = filer.open("/log", READ | WRITE | CREATE)
    expected = b""
    for i in range(1, 6):
        more = bytes([i]) * 20000
        filer.write_all(handle, more)
        expected += more
        storage.system.prctl("update", "storage", "self", *options)
        assert storage.system.status()["storage"].updates == i
        if i % 2:
            filer.sync_file(handle)
        assert filer.read_all(handle) == expected
        filer.make_dir(f"/d{i}")
    storage.end()
