"""Images that the storage server refuses, or mounts for reading only."""

from __future__ import annotations

import errno
import os
import random
import subprocess
from pathlib import Path

import pytest

from filing import CREATE, READ, WRITE, Failed, Storage, make_image
from stored import fails, filer, image, storage  # noqa: F401 (fixtures)


# ---- images that are refused ----

def refused(tmp_path: Path, image: Path, reason: str) -> None:
    before = image.read_bytes()
    with Storage(tmp_path, image) as storage:
        with fails(errno.EIO):
            storage.filer.stat("/")
        storage.says(reason)
        with fails(errno.EIO):
            storage.filer.open("/f", WRITE | CREATE)
        with fails(errno.EIO):
            storage.filer.sync()
        storage.system.shutdown()
    assert image.read_bytes() == before


def test_no_file_system(tmp_path: Path):
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(8 << 20))
    refused(tmp_path, image, "this is no ext4")


def test_damaged_super_block(tmp_path: Path, image: Path):
    with image.open("r+b") as file:
        file.seek(1024 + 0x78)
        file.write(b"another name")
    refused(tmp_path, image, "checksum is wrong")


def test_features_that_are_not_supported(tmp_path: Path):
    image = make_image(tmp_path / "disk.img", 64, "-O", "inline_data")
    refused(tmp_path, image, "features that are not supported (0x8000)")


def test_damaged_journal(tmp_path: Path, image: Path):
    with image.open("r+b") as file:
        data = file.read()
        file.seek(data.index(bytes.fromhex("c03b3998")))
        file.write(b"no journal at all")
    refused(tmp_path, image, "its journal")


@pytest.mark.parametrize("commands", [
    ["ssv last_orphan 12", "sif <12> dtime @13", "sif <13> dtime @12"], ["ssv last_orphan 5000000"]],
    ids=["a circle", "no inode"])
def test_damaged_list_of_orphans(tmp_path: Path, commands: list[str]):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(name)
    image = make_image(tmp_path / "disk.img", 64, "-d", str(folder))
    for command in commands:
        subprocess.run(["debugfs", "-w", "-R", command, image], check=True, stderr=subprocess.DEVNULL)
    refused(tmp_path, image, "its list of orphans is damaged: e2fsck has to mend it")


@pytest.mark.parametrize("seed", range(3))
def test_damaged_metadata_crashes_nothing(tmp_path: Path, seed: int):
    """Operations may fail, but storage goes on. Without checksums, which would find it."""
    chance, folder = random.Random(seed), tmp_path / "folder"
    (folder / "d").mkdir(parents=True)
    for i in range(40):
        (folder / "d" / f"{i}").write_bytes(b"x" * chance.randrange(30_000))
    image = make_image(tmp_path / "disk.img", 16, "-O", "^metadata_csum", "-d", str(folder))
    with image.open("r+b") as file:
        for _ in range(60):
            file.seek(chance.randrange(4096, 400 * 4096))
            file.write(chance.randbytes(1))
    with Storage(tmp_path, image) as storage:
        filer, name = storage.filer, lambda: f"/d/{chance.randrange(40)}"
        operations = [lambda: filer.get(name()), lambda: filer.list("/d"),
                      lambda: filer.put(name(), b"y" * 20_000), lambda: filer.remove(name()),
                      lambda: filer.rename(name(), name()), lambda: filer.make_dir(name()),
                      lambda: filer.sync()]
        for _ in range(150):
            try:
                chance.choice(operations)()
            except Failed:
                pass
        assert storage.system.status()["storage"].restarts == 0


def test_image_larger_than_the_disk(tmp_path: Path, image: Path):
    os.truncate(image, 40 << 20)
    refused(tmp_path, image, "larger than the disk")


def test_read_only(tmp_path: Path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "f").write_text("text")
    image = make_image(tmp_path / "disk.img", 64, "-d", str(folder))
    before = image.read_bytes()
    with Storage(tmp_path, image, options=["ro"]) as storage:
        filer = storage.filer
        handle = filer.open("/f", READ)
        assert filer.read(handle, 10) == b"text"
        assert filer.statfs()["read_only"] == 1
        for wrong in (lambda: filer.open("/f", WRITE), lambda: filer.open("/g", WRITE | CREATE),
                      lambda: filer.make_dir("/d"), lambda: filer.remove("/f"),
                      lambda: filer.rename("/f", "/g"), lambda: filer.set_mode("/f", 0),
                      lambda: filer.access("/f", 2)):
            with fails(errno.EROFS):
                wrong()
        filer.sync_file(handle)
        filer.sync()
        storage.end()
    assert image.read_bytes() == before


def test_wrong_arguments(tmp_path: Path, image: Path):
    storage = Storage(tmp_path, image, options=["cache=many"])
    with pytest.raises(Exception, match="usage: storage|storage"):
        with storage:
            pass
