"""The storage server: files on an ext4 image, over updates, crashes and failures of the disk."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import stat as modes
import struct
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

import pytest

from filing import (APPEND, CREATE, DIRECTORY, EXCLUSIVE, FROM_END, FROM_POSITION, FROM_START,
                    FS_RENAME, FS_STAT, FS_SYNC_FILE, IO_READ, IO_WRITE, NO_FOLLOW, PAYLOAD_MAX, READ, WRITE,
                    Failed, Filer, Lost, Storage, check_image, debugfs, make_image)
from fsx import Fsx


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


@contextmanager
def fails(number: int) -> Iterator[None]:
    with pytest.raises(Failed) as caught:
        yield
    assert caught.value.errno == number, f"{caught.value}, not {errno.errorcode[number]}"


def until_back(storage: Storage, restarts: int = 1) -> None:
    """Waits until the server has been started again, and answers."""
    storage.system.wait(lambda: storage.system.status()["storage"].restarts >= restarts,
                        "the restart")
    storage.system.wait(lambda: _answers(storage.filer), "storage to be back")


def _answers(filer: Filer) -> bool:
    try:
        filer.stat("/")
    except Lost:
        return False
    return True


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
        storage.system.kill("nvme", signal.SIGSTOP)
        for at in range(until, 960 << 10, PAYLOAD_MAX):  # which is there; what follows is asked for
            one.read(handle, PAYLOAD_MAX, at)
        one.send(IO_WRITE, struct.pack("<QII", 1200 << 10, handle, 1), b"new!" * 4096)
        two.stat("/")
        storage.system.kill("nvme", signal.SIGCONT)
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


def endpoint(storage: Storage, name: str) -> int:
    """Components are numbered from 1 in the order of the manifest."""
    names = [c["name"] for c in storage.system.manifest.data["components"]]
    return names.index(name) + 1


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
    assert filer.statfs()["blocks_free"] == free
    storage.end()


def test_orphans_are_removed_after_a_crash(storage: Storage, filer: Filer):
    for i in range(3):
        handle = filer.open(f"/f{i}", READ | WRITE | CREATE)
        filer.write_all(handle, b"z" * 100_000)
        filer.remove(f"/f{i}")
    filer.sync()
    storage.system.kill("storage")
    until_back(storage)
    assert "3 files that nobody had a name for were removed" in storage.system.log("storage")
    storage.end()


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
    assert "the journal was replayed" in storage.system.log("storage")
    storage.end()


def image_after_power_cut(storage: Storage, copy: Path) -> Path:
    """As the disk has it then; nobody has seen it since."""
    storage.system.kill("nvme-model")
    storage.system.kill("storage")
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
            storage.system.wait(lambda: _answers(appender.filer), "storage")
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
        storage.system.kill("nvme", signal.SIGSTOP)
        reader.send(IO_READ, struct.pack("<QIII", 0, handles[reader], 10_000, 1))
        writer.send(IO_WRITE, struct.pack("<QII", 1_000_001, handles[writer], 1), b"w" * 10_000)
        syncer.send(FS_SYNC_FILE, struct.pack("<I", handles[syncer]))
        assert other.counts()["version"] == 1
        for i in range(1, 4):
            storage.system.prctl("update", "storage", "self", "-relocate", "-strict")
            assert storage.system.status()["storage"].updates == i
        storage.system.kill("nvme", signal.SIGCONT)
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


# ---- images that are refused ----

def refused(tmp_path: Path, image: Path, reason: str) -> None:
    before = image.read_bytes()
    with Storage(tmp_path, image) as storage:
        assert reason in storage.system.log("storage"), storage.system.log("storage")
        with fails(errno.EIO):
            storage.filer.stat("/")
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
