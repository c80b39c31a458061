"""Large files that are removed or made shorter: in pieces, with other requests between them, over
crashes and updates."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from filing import (CREATE, FS_OPEN, FS_REMOVE, FS_STATFS, READ, TRUNCATE, WRITE, Filer, Storage,
                    check_image, debugfs, make_image)
from stored import filer, image, storage, until_back, until_dead  # noqa: F401 (fixtures)

GIGABYTE = 1 << 30
BLOCK = 4096


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An image with a file of a gigabyte, which has been written nowhere: "/big"."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "big").write_bytes(b"begins")
    image = make_image(tmp_path / "disk.img", 1200, "-d", str(folder))
    for command in (f"fallocate big 1 {GIGABYTE // BLOCK - 1}", f"set_inode_field big size {GIGABYTE}"):
        subprocess.run(["debugfs", "-w", "-R", command, str(image)], check=True,
                       stderr=subprocess.DEVNULL)
    check_image(image)
    return image


def until_free(storage: Storage, blocks: int) -> None:
    storage.system.wait(lambda: storage.filer.statfs()["blocks_free"] >= blocks, "the blocks to be free")
    assert storage.filer.statfs()["blocks_free"] == blocks


def blocks_of(filer: Filer, path: str) -> int:
    return filer.stat(path).sectors // (BLOCK // 512)


@pytest.fixture
def two(tmp_path: Path, large: Path) -> Iterator[Storage]:
    with Storage(tmp_path, large, clients=("one", "two")) as storage:
        yield storage


def is_asking(storage: Storage, name: str) -> bool:
    return storage.system.status()[name].calls_in_flight == 1


def begin_both(storage: Storage, type: int, body: bytes, path: bytes) -> int:
    """The first client asks for something, the second how much is free, before it can be done.
    @return what that was"""
    one, two = storage.filers.values()
    storage.system.suspend("storage")
    for name, client, request in (("one", one, (type, body, path)), ("two", two, (FS_STATFS,))):
        client.send(*request)
        storage.system.wait(lambda: is_asking(storage, name), "the request")
    storage.system.resume("storage")
    one.receive()
    return struct.unpack_from("<IIQQ", two.receive()[1])[3]


@pytest.mark.parametrize("how", ["remove", "truncate"])
def test_others_are_served_meanwhile(two: Storage, how: str):
    before, blocks = two.filer.statfs()["blocks_free"], blocks_of(two.filer, "/big")
    if how == "remove":
        found = begin_both(two, FS_REMOVE, bytes(8), b"/big")
    else:
        found = begin_both(two, FS_OPEN, struct.pack("<III", 0, WRITE | TRUNCATE, 0), b"/big")
    assert before < found < before + blocks // 2
    until_free(two, before + blocks)
    two.end()


# ---- contents ----

@pytest.mark.parametrize("options", [[], ["-O", "^extents,^64bit"],
                                     ["-O", "^extents,^64bit", "-b", "1024"]], ids=" ".join)
@pytest.mark.parametrize("size", [0, 30_000, 7 << 20, (7 << 20) + 777])
def test_what_is_left(tmp_path: Path, options: list[str], size: int):
    """It grows again at once, and what was cut off is not seen."""
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 64, *options)) as storage:
        filer, data = storage.filer, random.Random(3).randbytes(20 << 20)
        free = filer.statfs()["blocks_free"]
        filer.put("/f", data)
        handle = filer.open("/f", READ | WRITE)
        filer.truncate(handle, size)
        assert filer.stat_file(handle).bytes == size
        filer.write_all(handle, b"more", size + (9 << 20))
        assert filer.read_all(handle) == data[:size] + bytes(9 << 20) + b"more"
        assert filer.stat_file(handle).sectors * 512 < size + (64 << 10)
        filer.close_file(handle)
        filer.remove("/f")
        until_free(storage, free)
        storage.end()


@pytest.mark.parametrize("options", [[], ["-O", "^extents,^64bit"]], ids=" ".join)
def test_blocks_that_lie_far_apart(tmp_path: Path, options: list[str]):
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 64, *options)) as storage:
        filer, size = storage.filer, 200 << 30
        free = filer.statfs()["blocks_free"]
        handle = filer.open("/f", READ | WRITE | CREATE)
        for i in range(300):
            filer.write(handle, b"x", i * (size // 300))
        filer.truncate(handle, size // 2)
        filer.write(handle, b"end", size - 3)
        assert filer.read(handle, 1, 200 * (size // 300)) == b"\0"
        assert filer.read(handle, 1, 100 * (size // 300)) == b"x"
        filer.close_file(handle)
        filer.remove("/f")
        until_free(storage, free)
        storage.end()


def test_last_block_of_the_disk_is_freed(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, options=["age=600"]) as storage:
        storage.filer.put("/f", bytes(40 << 20))
        storage.filer.remove("/f")
        storage.filer.put("/g", bytes(40 << 20))  # where "/f" was nothing is free until a commit
        storage.end()
    assert "marked in use" in debugfs(image, f"testb {(64 << 20) // BLOCK - 1}")
    with Storage(tmp_path, image) as storage:
        storage.filer.remove("/g")
        storage.end()
    assert "not in use" in debugfs(image, f"testb {(64 << 20) // BLOCK - 1}")


def test_removed_while_it_is_cut_and_open(two: Storage):
    one, other = two.filers.values()
    before, blocks = one.statfs()["blocks_free"], blocks_of(one, "/big")
    handle = one.open("/big", READ | WRITE)
    one.truncate(handle, 100_000)
    other.remove("/big")
    one.write_all(handle, b"more", 100_000)
    assert one.read_all(handle) == b"begins" + bytes(99_994) + b"more"
    one.close_file(handle)
    until_free(two, before + blocks)
    two.end()


def test_inode_is_waited_for(tmp_path: Path):
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 64, "-N", "16")) as storage:
        filer = storage.filer
        filer.put("/big", bytes(32 << 20))
        for i in range(filer.statfs()["inodes_free"]):
            filer.put(f"/f{i}", b"")
        filer.remove("/big")
        filer.put("/new", b"its inode")
        storage.end()


# ---- crashes, updates, the end ----

def order_end(storage: Storage, piece: int) -> None:
    storage.system.prctl("fault", "storage", "storage.cut", "kill", "-nth", str(piece))


@pytest.mark.parametrize("piece", [1, 40, 150])
@pytest.mark.parametrize("how", ["remove", "truncate"])
def test_crash_in_the_middle(tmp_path: Path, large: Path, how: str, piece: int):
    """What had been committed by then is not begun again, what had not is as it was."""
    with Storage(tmp_path, large, faults=True) as storage:
        filer = storage.filer
        before, blocks = filer.statfs()["blocks_free"], blocks_of(filer, "/big")
        order_end(storage, piece)
        if how == "remove":
            filer.remove("/big")
        else:
            filer.open("/big", WRITE | TRUNCATE)
        until_back(storage)
        if piece > 32:  # there was a commit
            storage.says("1 files that were being removed or cut")
            until_free(storage, before + blocks)
        storage.end()


@pytest.mark.parametrize("how", ["remove", "truncate"])
def test_e2fsck_finishes(tmp_path: Path, large: Path, how: str):
    storage = Storage(tmp_path, large, clients=("one", "two"), faults=True)
    for name in ("storage", "nvme", "nvme-model"):
        storage.system.manifest.component(name)["restart"] = "never"
    with storage:
        order_end(storage, 100)
        if how == "remove":
            storage.filer.remove("/big")
        else:
            storage.filer.truncate(storage.filer.open("/big", WRITE), 100_000)
        until_dead(storage, "storage")
        storage.system.kill("nvme-model")
        until_dead(storage, "nvme-model")
        copy = tmp_path / "copy.img"
        shutil.copy(large, copy)
    done = subprocess.run(["e2fsck", "-fy", "-E", "no_optimize_extents", str(copy)], text=True,
                          stdout=subprocess.PIPE)
    assert "recovering journal" in done.stdout
    assert ("Clearing" if how == "remove" else "Truncating") + " orphaned inode" in done.stdout
    assert "Fix" not in done.stdout and "? yes" not in done.stdout, done.stdout
    check_image(copy)
    if how == "truncate":
        assert len(debugfs(copy, "cat /big")) == 100_000


def test_updates_meanwhile(storage: Storage, filer: Filer):
    free = filer.statfs()["blocks_free"]
    for i in range(1, 4):
        filer.put("/f", bytes(40 << 20))
        handle = filer.open("/f", WRITE)
        filer.truncate(handle, 1000)
        filer.close_file(handle)
        storage.system.prctl("update", "storage", "self", "-relocate", "-strict")
        filer.remove("/f")
        storage.system.prctl("update", "storage", "self")
        assert storage.system.status()["storage"].updates == 2 * i
    until_free(storage, free)
    storage.end()


def test_shutdown_ends_it(two: Storage):
    two.filer.remove("/big")
    two.end()
