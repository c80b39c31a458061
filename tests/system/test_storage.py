"""The storage server: files on an ext4 image."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from filing import CREATE, DIRECTORY, READ, WRITE, Filer, Storage, debugfs, make_image


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
