"""The storage server: files on an ext4 image, their names, and what is refused."""

from __future__ import annotations

import errno
import random
import stat as modes
import struct
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from filing import (APPEND, CREATE, DIRECTORY, EXCLUSIVE, FROM_END, FROM_POSITION, FROM_START,
                    FS_OPEN, FS_RENAME, FS_STAT, IO_WRITE, NO_FOLLOW, PAYLOAD_MAX, READ, TRUNCATE, WRITE,
                    Filer, Storage, debugfs, make_image)
from stored import endpoint, fails, filer, image, storage, until_back  # noqa: F401 (fixtures)


# ---- files ----

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


def test_file_larger_than_the_cache(storage: Storage, filer: Filer):
    data = random.Random(1).randbytes(30 << 20)
    filer.put("/large", data)
    assert filer.get("/large") == data
    storage.end()


def test_holes_read_as_zeroes(storage: Storage, filer: Filer):
    handle = filer.open("/holes", READ | WRITE | CREATE)
    filer.write_all(handle, b"x" * 5000, 1_000_000)
    filer.write_all(handle, b"y", 0)
    assert filer.stat("/holes").sectors * 512 < 64 << 10
    expected = b"y" + bytes(999_999) + b"x" * 5000
    assert filer.read_all(handle) == expected
    filer.truncate(handle, 1_002_000)
    filer.truncate(handle, 1_010_000)
    assert filer.read_all(handle) == expected[:1_002_000] + bytes(8000)
    filer.truncate(handle, 3_000_000_000_000)
    assert filer.read(handle, 10, 2_999_999_999_995) == bytes(5)
    storage.end()


def test_positions(filer: Filer):
    handle = filer.open("/f", READ | WRITE | CREATE)
    filer.write(handle, b"0123456789")
    assert filer.read(handle, 10) == b""
    assert filer.seek(handle, 2, FROM_START) == 2
    assert filer.read(handle, 3) == b"234"
    assert filer.seek(handle, -1, FROM_POSITION) == 4
    assert filer.seek(handle, -2, FROM_END) == 8
    assert filer.read(handle, 9) == b"89"
    with fails(errno.EINVAL):
        filer.seek(handle, -1, FROM_START)
    with fails(errno.EINVAL):
        filer.seek(handle, 0, 7)
    appending = filer.open("/f", WRITE | APPEND)
    filer.write(appending, b"ab", 0)
    assert filer.get("/f") == b"0123456789ab"


def test_image_that_mkfs_filled(tmp_path: Path):
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "data").write_bytes(b"d" * 100_000)
    (folder / "sub" / "link").symlink_to("../data")
    (folder / "long").symlink_to("x" * 200)
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 64, "-d", str(folder))) as storage:
        assert storage.filer.get("/sub/link") == b"d" * 100_000
        assert storage.filer.read_link("/long") == "x" * 200
        storage.end()


@pytest.mark.parametrize("options", [["-b", "1024"], ["-b", "2048"], ["-O", "^64bit,^metadata_csum"],
                                     ["-O", "^extents,^64bit"], ["-I", "128"]], ids=" ".join)
def test_other_formats(tmp_path: Path, options: list[str]):
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 32, *options)) as storage:
        filer, data = storage.filer, random.Random(2).randbytes(3 << 20)
        filer.make_dir("/d")
        for name in ("a", "b", "c"):
            filer.put(f"/d/{name}", data)
        filer.remove("/d/a")
        filer.sync()
        storage.system.kill("storage")
        until_back(storage)
        assert filer.get("/d/b") == data
        storage.end()


def test_write_into_what_is_being_read_ahead(tmp_path: Path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "f").write_bytes(b"old!" * (1 << 20))
    image = make_image(tmp_path / "disk.img", 64, "-d", str(folder))
    with Storage(tmp_path, image, clients=("one", "two"), cache_bytes=16 << 20) as storage:
        one, two = storage.filers["one"], storage.filers["two"]
        handle, until = one.open("/f", READ | WRITE), 576 << 10
        for at in range(0, until, PAYLOAD_MAX):
            one.read(handle, PAYLOAD_MAX, at)
        storage.system.suspend("nvme")
        for at in range(until, 960 << 10, PAYLOAD_MAX):  # which is there; what follows is asked for
            one.read(handle, PAYLOAD_MAX, at)
        one.send(IO_WRITE, struct.pack("<QII", 1200 << 10, handle, 1), b"new!" * 4096)
        two.stat("/")
        storage.system.resume("nvme")
        one.receive()
        two.sync()
        assert one.read(handle, 16384, 1200 << 10) == b"new!" * 4096
        storage.end()


# ---- names ----

def test_names(storage: Storage, filer: Filer):
    filer.make_dir("/a")
    filer.make_dir("/a/b")
    filer.put("/a/f", b"one")
    filer.link("/a/f", "/a/b/g")
    assert filer.stat("/a/f").links == 2
    filer.rename("/a/f", "/a/b/h")
    filer.symlink("b/h", "/a/s")
    assert filer.get("/a/s") == b"one" and filer.read_link("/a/s") == "b/h"
    assert modes.S_ISLNK(filer.stat("/a/s", NO_FOLLOW).mode)
    filer.make_dir("/c")
    filer.rename("/a/b", "/c/b")
    assert filer.get("/c/b/../b/g") == b"one"
    filer.put("/a/f", b"two")
    filer.rename("/a/f", "/c/b/g")
    assert filer.get("/c/b/g") == b"two" and filer.stat("/c/b/h").links == 1
    filer.rename("/c/b/g", "/c/b/g")
    filer.make_dir("/e")
    filer.rename("/c", "/e")
    assert filer.list("/e") == {".": 4, "..": 4, "b": 4}
    assert filer.stat("/").links == 5 and filer.stat("/e").links == 3
    filer.remove("/e/b/g")
    filer.remove("/e/b/h")
    filer.remove("/e/b/", directory=True)
    filer.remove("/e", directory=True)
    storage.end()


def test_handles_of_directories(filer: Filer):
    filer.make_dir("/d")
    handle = filer.open("/d", READ | DIRECTORY)
    inner = filer.open("f", WRITE | CREATE, dir=handle)
    filer.write(inner, b"x")
    assert filer.stat("f", dir=handle).bytes == 1
    assert filer.stat("../d/f", dir=handle).bytes == 1
    assert filer.stat("/d/f", dir=handle).bytes == 1
    with fails(errno.ENOTDIR):
        filer.stat("x", dir=inner)
    with fails(errno.EISDIR):
        filer.read(handle, 10)


def test_wrong_names(filer: Filer):
    filer.make_dir("/d")
    filer.put("/d/f", b"")
    filer.symlink("loop", "/loop")
    cases: list[tuple[int, Callable[[], object]]] = [
        (errno.ENOENT, lambda: filer.open("/no", READ)),
        (errno.ENOENT, lambda: filer.open("/no/f", WRITE | CREATE)),
        (errno.ENOENT, lambda: filer.stat("")),
        (errno.ENOTDIR, lambda: filer.open("/d/f/x", READ)),
        (errno.ENOTDIR, lambda: filer.open("/d/f", READ | DIRECTORY)),
        (errno.ENOTDIR, lambda: filer.stat("/d/f/")),
        (errno.EISDIR, lambda: filer.open("/d", WRITE)),
        (errno.EISDIR, lambda: filer.open("/new/", WRITE | CREATE)),
        (errno.EEXIST, lambda: filer.open("/d/f", WRITE | CREATE | EXCLUSIVE)),
        (errno.EEXIST, lambda: filer.make_dir("/d")),
        (errno.EEXIST, lambda: filer.make_dir("/")),
        (errno.EEXIST, lambda: filer.link("/d/f", "/d/f")),
        (errno.EEXIST, lambda: filer.symlink("x", "/loop")),
        (errno.ELOOP, lambda: filer.open("/loop", READ)),
        (errno.ELOOP, lambda: filer.open("/loop", READ | NO_FOLLOW)),
        (errno.ENOTEMPTY, lambda: filer.remove("/d", directory=True)),
        (errno.ENOTEMPTY, lambda: filer.rename("/lost+found", "/d")),
        (errno.ENOTDIR, lambda: filer.remove("/d/f", directory=True)),
        (errno.EISDIR, lambda: filer.remove("/d")),
        (errno.EBUSY, lambda: filer.remove("/", directory=True)),
        (errno.EINVAL, lambda: filer.remove("/d/.", directory=True)),
        (errno.EINVAL, lambda: filer.rename("/d", "/d/inside")),
        (errno.EISDIR, lambda: filer.rename("/d/f", "/d")),
        (errno.EPERM, lambda: filer.link("/d", "/hard")),
        (errno.EINVAL, lambda: filer.read_link("/d/f")),
        (errno.ENAMETOOLONG, lambda: filer.stat("/" + "n" * 256)),
        (errno.ENAMETOOLONG, lambda: filer.stat("/d" * 2500)),
        (errno.EINVAL, lambda: filer.stat(b"/d\0/f")),
        (errno.EINVAL, lambda: filer.ask(FS_RENAME, bytes(8), b"/only-one")),
        (errno.EINVAL, lambda: filer.ask(FS_RENAME, bytes(8), b"/a\0/b\0/c")),
        (errno.ENOENT, lambda: filer.ask(FS_STAT, bytes(8), b"")),
        (errno.EINVAL, lambda: filer.open("/d/f", 0)),
        (errno.EINVAL, lambda: filer.access("/d", 64)),
        (errno.ENOSYS, lambda: filer.ask(0xa7f)),
    ]
    for number, wrong in cases:
        with fails(number):
            wrong()
    assert filer.list("/d") == {".": 4, "..": 4, "f": 8}


def test_wrong_handles(filer: Filer):
    filer.put("/f", b"x")
    reading, writing = filer.open("/f", READ), filer.open("/f", WRITE)
    cases: list[tuple[int, Callable[[], object]]] = [
        (errno.EBADF, lambda: filer.read(0, 1)),
        (errno.EBADF, lambda: filer.read(99, 1)),
        (errno.EBADF, lambda: filer.read((1 << 32) - 1, 1)),
        (errno.EBADF, lambda: filer.read(writing, 1)),
        (errno.EBADF, lambda: filer.write(reading, b"x")),
        (errno.EBADF, lambda: filer.truncate(reading, 0)),
        (errno.EBADF, lambda: filer.close_file(99)),
        (errno.EBADF, lambda: filer.sync_file(99)),
        (errno.EBADF, lambda: filer.stat_file(99)),
        (errno.EBADF, lambda: filer.watch(99, 1)),
        (errno.EBADF, lambda: filer.stat("x", dir=99)),
        (errno.ENOTDIR, lambda: filer.list_from(reading, 0)),
        (errno.EFBIG, lambda: filer.write(writing, b"x", 1 << 60)),
        (errno.EFBIG, lambda: filer.truncate(writing, 1 << 60)),
        (errno.EPERM, lambda: filer.duplicate(reading, 1, 2)),
        (errno.EPERM, lambda: filer.credentials(1, 5, 5)),
    ]
    for number, wrong in cases:
        with fails(number):
            wrong()
    assert filer.watch(reading, 3) == 3
    filer.close_file(reading)
    with fails(errno.EBADF):
        filer.close_file(reading)


def test_too_many_handles(filer: Filer):
    filer.put("/f", b"x")
    handles = []
    with fails(errno.EMFILE):
        while True:
            handles.append(filer.open("/f", READ))
    assert len(handles) == 256 and len(set(handles)) == 256
    with fails(errno.EMFILE):
        filer.open("/new", WRITE | CREATE)
    with fails(errno.EMFILE):
        filer.open("/f", WRITE | TRUNCATE)
    with fails(errno.ENOENT):
        filer.stat("/new")
    assert filer.stat("/f").bytes == 1, "it was not truncated"
    for handle in handles:
        filer.close_file(handle)
    assert filer.counts()["handles"] == 0


def test_handles_end_with_their_owner(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, clients=("one", "two")) as storage:
        one, two = storage.filers["one"], storage.filers["two"]
        one.put("/f", b"x")
        one.open("/f", READ)
        two.open("/f", READ)
        assert two.counts()["handles"] == 2
        storage.system.kill("one")
        storage.system.wait(lambda: two.counts()["handles"] == 1, "the handle to be closed")


def test_attributes(storage: Storage, filer: Filer):
    filer.put("/f", b"x")
    filer.set_mode("/f", 0o4751)
    filer.set_owner("/f", 70000, 80000)
    filer.set_times("/f", 1_234_567_890_123_456_789, 5_000_000_000 * 10 ** 9 + 7)
    found = filer.stat("/f")
    assert found.mode == modes.S_IFREG | 0o751, "an owner's change drops the bit"
    assert (found.user, found.group) == (70000, 80000)
    assert found.accessed_ns == 1_234_567_890_123_456_789
    assert found.modified_ns == 5_000_000_000 * 10 ** 9 + 7
    storage.end()


def test_refusal_after_a_change_is_no_failure(storage: Storage, filer: Filer):
    """An operation that fails before it has changed anything leaves the file system writable."""
    filer.make_dir("/d")
    filer.put("/d/f", b"x")
    filer.set_mode("/d/f", 0o600)
    with fails(errno.ENOTEMPTY):
        filer.remove("/d", directory=True)
    filer.set_times("/d/f", 1, 1)
    with fails(errno.EISDIR):
        filer.rename("/d/f", "/d")
    filer.put("/d/f", b"y")
    storage.end()


def test_permissions(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, clients=("filer", "pm")) as storage:
        filer, pm = storage.filers["filer"], storage.filers["pm"]
        pm.make_dir("/shared", 0o777)
        pm.set_mode("/shared", 0o1777)
        pm.make_dir("/closed", 0o700)
        pm.put("/shared/roots", b"x")
        pm.put("/readable", b"r")
        pm.credentials(endpoint(storage, "filer"), 1000, 1000)
        filer.put("/shared/mine", b"m")
        assert filer.stat("/shared/mine").user == 1000
        assert filer.get("/readable") == b"r"
        cases: list[tuple[int, Callable[[], object]]] = [
            (errno.EACCES, lambda: filer.open("/readable", WRITE)),
            (errno.EACCES, lambda: filer.open("/new", WRITE | CREATE)),
            (errno.EACCES, lambda: filer.list("/closed")),
            (errno.EACCES, lambda: filer.stat("/closed/x")),
            (errno.EACCES, lambda: filer.remove("/readable")),
            (errno.EPERM, lambda: filer.remove("/shared/roots")),
            (errno.EPERM, lambda: filer.set_mode("/readable", 0o777)),
            (errno.EPERM, lambda: filer.set_owner("/shared/mine", 0, 0)),
            (errno.EACCES, lambda: filer.access("/readable", 2)),
            (errno.EACCES, lambda: filer.access("/readable", 1)),
        ]
        for number, wrong in cases:
            with fails(number):
                wrong()
        filer.access("/readable", 4)
        filer.remove("/shared/mine")
        storage.end()


def test_program_that_is_not_known_waits(tmp_path: Path, image: Path):
    """Until the process manager says who it is."""
    with Storage(tmp_path, image, clients=("pm", "program-1")) as storage:
        pm, program = storage.filers["pm"], storage.filers["program-1"]
        pm.make_dir("/shared")
        pm.set_mode("/shared", 0o777)
        program.send(FS_OPEN, struct.pack("<III", 0, WRITE | CREATE, 0o644), b"/shared/f")
        storage.system.wait(lambda: storage.system.status()["program-1"].calls_in_flight == 1
                            and storage.system.status()["storage"].queued == 0, "the request")
        with fails(errno.ENOENT):
            pm.stat("/shared/f")
        pm.credentials(endpoint(storage, "program-1"), 1000, 1001)
        program.receive()
        found = pm.stat("/shared/f")
        assert (found.user, found.group) == (1000, 1001)
        with fails(errno.EACCES):
            program.make_dir("/new")
        storage.end()


def test_program_without_a_process_manager_is_nobody(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, clients=("filer", "program-1")) as storage:
        storage.filer.make_dir("/shared")
        storage.filer.set_mode("/shared", 0o777)
        storage.filers["program-1"].put("/shared/f", b"x")
        assert storage.filer.stat("/shared/f").user == 65534
        storage.end()


def test_process_manager_gives_handles_away(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, clients=("filer", "pm")) as storage:
        filer, pm = storage.filers["filer"], storage.filers["pm"]
        mine, its = endpoint(storage, "filer"), endpoint(storage, "pm")
        pm.put("/f", b"0123456789")
        handle = pm.open("/f", READ)
        assert pm.read(handle, 3) == b"012"
        given = pm.duplicate(handle, its, mine)
        assert filer.read(given, 3) == b"345"
        assert pm.read(handle, 3) == b"678"
        pm.close_file(handle)
        assert filer.read(given, 3) == b"9"
        again = filer.duplicate(given, mine, mine)
        assert again != given
        with fails(errno.EPERM):
            filer.duplicate(given, mine, its)
        with fails(errno.EBADF):
            pm.duplicate(77, mine, its)


def test_large_directory(storage: Storage, filer: Filer):
    filer.make_dir("/d")
    names = {f"file-with-a-long-name-{i}" for i in range(1500)}
    for name in names:
        filer.close_file(filer.open(f"/d/{name}", WRITE | CREATE))
    assert set(filer.list("/d", 1000)) == names | {".", ".."}
    for name in sorted(names)[::2]:
        filer.remove(f"/d/{name}")
    assert len(filer.list("/d")) == 752
    storage.end()


def test_large_directory_is_not_searched_again_and_again(tmp_path: Path):
    folder = tmp_path / "folder"
    (folder / "d").mkdir(parents=True)
    for i in range(5000):
        (folder / "d" / f"name-{i}").touch()
    image = make_image(tmp_path / "disk.img", 64, "-N", "16384", "-d", str(folder))
    with Storage(tmp_path, image) as storage:
        filer, names = storage.filer, [f"/d/name-{i}" for i in range(0, 5000, 25)]

        def searches(operations: Callable[[], object]) -> int:
            before = filer.counts()
            operations()
            after = filer.counts()
            if after["searches"] == before["searches"]:
                assert after["hits"] - before["hits"] < 20 * len(names), "it was read all the same"
            return after["searches"] - before["searches"]

        def stat_all() -> dict[str, int]:
            return {name: filer.stat(name).inode for name in names}

        found: dict[str, int] = {}
        assert searches(lambda: found.update(stat_all())) == len(names) + 1
        assert len(set(found.values())) == len(names)
        assert searches(stat_all) == 0 and stat_all() == found

        def miss() -> None:
            with fails(errno.ENOENT):
                filer.stat("/d/none")

        assert searches(miss) == 1 and searches(miss) == 0
        storage.system.prctl("update", "storage", "self", "-relocate", "-strict")
        assert searches(stat_all) == 0 and searches(miss) == 0
        storage.end()


def test_names_that_change(storage: Storage, filer: Filer):
    """What is known of a name follows each change of it."""
    filer.make_dir("/d")
    for _ in range(2):
        with fails(errno.ENOENT):
            filer.stat("/d/f")
    filer.put("/d/f", b"one")
    assert filer.get("/d/f") == b"one"
    filer.rename("/d/f", "/d/g")
    with fails(errno.ENOENT):
        filer.stat("/d/f")
    filer.link("/d/g", "/d/f")
    assert filer.stat("/d/f").inode == filer.stat("/d/g").inode
    filer.put("/d/h", b"two")
    filer.rename("/d/h", "/d/g")
    assert filer.get("/d/g") == b"two" and filer.get("/d/f") == b"one"
    for name in ("f", "g"):
        filer.remove(f"/d/{name}")
        with fails(errno.ENOENT):
            filer.stat(f"/d/{name}")
    inode = filer.stat("/d").inode
    filer.remove("/d", directory=True)
    with fails(errno.ENOENT):
        filer.stat("/d/f")
    filer.make_dir("/other")
    assert filer.stat("/other").inode == inode, "the inode is used again"
    filer.make_dir("/other/e")
    inode = filer.stat("/other/e").inode
    assert filer.stat("/other/e/..").inode == filer.stat("/other").inode
    filer.remove("/other/e", directory=True)
    filer.make_dir("/e")
    assert filer.stat("/e").inode == inode and filer.stat("/e/..").inode == 2
    storage.end()


def test_indexed_directory(tmp_path: Path):
    """mkfs -d makes no index; e2fsck -D does."""
    folder = tmp_path / "folder"
    (folder / "d").mkdir(parents=True)
    for i in range(3000):
        (folder / "d" / f"name-{i}").touch()
    image = make_image(tmp_path / "disk.img", 64, "-N", "16384", "-d", str(folder))
    subprocess.run(["e2fsck", "-fyD", str(image)], stdout=subprocess.DEVNULL)
    assert "htree" in debugfs(image, "htree_dump /d").lower() or "Root node" in debugfs(
        image, "htree_dump /d")
    with Storage(tmp_path, image) as storage:
        for i in range(2000):
            storage.filer.close_file(storage.filer.open(f"/d/new-{i}", WRITE | CREATE))
        for i in range(0, 3000, 3):
            storage.filer.remove(f"/d/name-{i}")
        assert len(storage.filer.list("/d")) == 2 + 2000 + 2000
        storage.filer.rename("/d/name-1", "/d/renamed")
        storage.end()


# ---- the disk is full ----

def test_full_disk(tmp_path: Path):
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 16)) as storage:
        filer, block, written = storage.filer, b"full" * 16384, 0
        handle = filer.open("/big", READ | WRITE | CREATE)
        with fails(errno.ENOSPC):
            while True:
                written += filer.write(handle, block)
        assert written > 8 << 20
        with fails(errno.ENOSPC):
            filer.make_dir("/d")
        filer.write_all(handle, b"over", 0)
        filer.sync_file(handle)
        assert filer.stat_file(handle).bytes == written
        filer.close_file(handle)
        filer.remove("/big")
        filer.put("/again", block * (written // len(block) - 1))
        assert filer.get("/again") == block * (written // len(block) - 1)
        storage.end()


def test_no_inodes(tmp_path: Path):
    with Storage(tmp_path, make_image(tmp_path / "disk.img", 16, "-N", "16")) as storage:
        with fails(errno.ENOSPC):
            for i in range(20):
                storage.filer.put(f"/f{i}", b"x")
        storage.end()


# ---- files without names ----

def test_removed_file_lives_while_it_is_open(storage: Storage, filer: Filer):
    free = filer.statfs()["blocks_free"]
    handle = filer.open("/f", READ | WRITE | CREATE)
    filer.write_all(handle, b"z" * 200_000)
    other = filer.open("/g", READ | WRITE | CREATE)
    for path in ("/f", "/g"):
        filer.remove(path)
    filer.write_all(handle, b"more", 200_000)
    assert len(filer.read_all(handle)) == 200_004
    filer.sync()
    filer.close_file(handle)
    filer.close_file(other)
    assert filer.statfs()["blocks_free"] == free, "few blocks are freed at once"
    storage.end()


def test_orphans_are_removed_after_a_crash(storage: Storage, filer: Filer):
    free = filer.statfs()["blocks_free"]
    for i in range(3):
        handle = filer.open(f"/f{i}", READ | WRITE | CREATE)
        filer.write_all(handle, b"z" * 100_000)
        filer.remove(f"/f{i}")
    filer.sync()
    storage.system.kill("storage")
    until_back(storage)
    storage.says("3 files that were being removed")
    storage.system.wait(lambda: filer.statfs()["blocks_free"] == free, "the blocks to be free")
    storage.end()
