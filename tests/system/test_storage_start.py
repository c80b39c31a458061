"""The storage server whose disk does not come up in time."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

from filing import FS_STAT, CREATE, WRITE, Storage
from stored import answers, fails, image  # noqa: F401 (fixtures)


def restart_without_driver(storage: Storage) -> None:
    system = storage.system
    system.prctl("stop", "nvme")
    system.kill("storage")
    system.wait_for_restart("storage")


def test_requests_wait_for_a_late_driver(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, clients=("one", "two"), options=["wait=600"]) as storage:
        one, two = storage.filers.values()
        one.put("/f", b"x" * 10_000)
        one.sync()
        restart_without_driver(storage)
        one.send(FS_STAT, struct.pack("<II", 0, 0), b"/f")
        storage.system.wait(lambda: storage.system.status()["one"].calls_in_flight == 1
                            and storage.system.status()["storage"].queued == 0, "the request")
        assert two.counts()["handles"] == 0, "who needs no disk does not wait"
        storage.system.prctl("update", "storage", "self")
        assert storage.system.status()["one"].calls_in_flight == 1
        storage.system.prctl("start", "nvme")
        one.receive()
        assert two.get("/f") == b"x" * 10_000
        storage.end()


def test_driver_that_does_not_come(tmp_path: Path, image: Path):
    with Storage(tmp_path, image, options=["wait=1"]) as storage:
        restart_without_driver(storage)
        with fails(errno.EIO):
            storage.filer.stat("/")
        with fails(errno.EIO):
            storage.filer.sync()
        storage.says("the disk does not come up: driver nvme: ")
        assert storage.system.status()["storage"].restarts == 1
        storage.system.prctl("start", "nvme")
        storage.system.wait(lambda: is_mounted(storage), "the file system")
        storage.filer.close_file(storage.filer.open("/f", WRITE | CREATE))
        storage.end()


def is_mounted(storage: Storage) -> bool:
    try:
        return answers(storage.filer)
    except OSError:
        return False
