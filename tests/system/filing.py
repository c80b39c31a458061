"""A system with a file system, and files as a test sees them: each call is one message to storage, by a
component that asks for the test (tests/components/filer.c)."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proteos import PATIENCE, Manifest, System

READ, WRITE, CREATE, EXCLUSIVE, TRUNCATE, APPEND, DIRECTORY, NO_FOLLOW = (1 << i for i in range(8))
POSITION = (1 << 64) - 1
FROM_START, FROM_POSITION, FROM_END = range(3)
PAYLOAD_MAX = 65536

IO_READ, IO_WRITE, IO_CLOSE, IO_DUPLICATE, IO_WATCH = range(0x800, 0x805)
(FS_OPEN, FS_STAT, FS_STAT_FILE, FS_LIST, FS_SEEK, FS_ACCESS, FS_MAKE_DIR, FS_REMOVE, FS_RENAME, FS_LINK,
 FS_SYMLINK, FS_READ_LINK, FS_TRUNCATE, FS_SET_MODE, FS_SET_OWNER, FS_SET_TIMES, FS_SYNC_FILE, FS_SYNC,
 FS_STATFS, FS_CREDENTIALS, FS_COUNTS) = range(0xa00, 0xa15)

RESTARTED, DEAD = -2002, -2001  # errors of the bus


class Failed(OSError):
    """An operation that storage refused: errno as usual."""


class Lost(Exception):
    """The server was restarted, or is dead; what it was asked may have been done or not."""


@dataclass(frozen=True)
class Stat:
    inode: int
    bytes: int
    sectors: int
    accessed_ns: int
    modified_ns: int
    changed_ns: int
    mode: int
    links: int
    user: int
    group: int


class Filer:
    """One component that asks. Methods raise Failed, or Lost."""

    def __init__(self, listener: socket.socket):
        self.listener = listener
        self.wire: socket.socket | None = None

    def connect(self) -> None:
        self.listener.settimeout(PATIENCE)
        self.wire, _ = self.listener.accept()
        self.wire.settimeout(PATIENCE)

    def close(self) -> None:
        if self.wire:
            self.wire.close()
        self.listener.close()

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            more = self.wire.recv(count - len(data))
            if not more:
                raise Lost("the asking component has ended")
            data += more
        return bytes(data)

    def send(self, type: int, body: bytes = b"", payload: bytes = b"") -> None:
        """Asks without waiting for the answer."""
        self.wire.sendall(struct.pack("<II40s", type, len(payload), body) + payload)

    def receive(self) -> tuple[bytes, bytes]:
        """@return the body and the payload of the answer"""
        error, status, count, _, body = struct.unpack("<iiII40s", self._read(56))
        payload = self._read(count)
        if error:
            raise Lost(f"error {error} of the bus")
        if status < 0:
            raise Failed(-status, os.strerror(-status))
        return body, payload

    def ask(self, type: int, body: bytes = b"", payload: bytes = b"") -> tuple[bytes, bytes]:
        self.send(type, body, payload)
        return self.receive()

    # -- open files ----------------------------------------------------------------------------

    def open(self, path: str | bytes, flags: int, mode: int = 0o644, dir: int = 0) -> int:
        body, _ = self.ask(FS_OPEN, struct.pack("<III", dir, flags, mode), _bytes(path))
        return struct.unpack_from("<QII", body)[1]

    def read(self, handle: int, count: int, offset: int = POSITION) -> bytes:
        return self.ask(IO_READ, struct.pack("<QIII", offset, handle, count, 1))[1]

    def write(self, handle: int, data: bytes, offset: int = POSITION) -> int:
        body, _ = self.ask(IO_WRITE, struct.pack("<QII", offset, handle, 1), data)
        return struct.unpack_from("<I", body)[0]

    def write_all(self, handle: int, data: bytes, offset: int | None = None) -> None:
        done = 0
        while done < len(data):
            at = POSITION if offset is None else offset + done
            done += self.write(handle, data[done:done + PAYLOAD_MAX], at)

    def read_all(self, handle: int, offset: int = 0) -> bytes:
        data = bytearray()
        while more := self.read(handle, PAYLOAD_MAX, offset + len(data)):
            data += more
        return bytes(data)

    def close_file(self, handle: int) -> None:
        self.ask(IO_CLOSE, struct.pack("<I", handle))

    def duplicate(self, handle: int, owner: int, to: int) -> int:
        body, _ = self.ask(IO_DUPLICATE, struct.pack("<Iii", handle, owner, to))
        return struct.unpack_from("<I", body)[0]

    def watch(self, handle: int, events: int) -> int:
        return struct.unpack_from("<I", self.ask(IO_WATCH, struct.pack("<II", handle, events))[0])[0]

    def seek(self, handle: int, offset: int, whence: int) -> int:
        body, _ = self.ask(FS_SEEK, struct.pack("<QII", offset & POSITION, handle, whence))
        return struct.unpack_from("<Q", body)[0]

    def truncate(self, handle: int, size: int) -> None:
        self.ask(FS_TRUNCATE, struct.pack("<QI", size, handle))

    def sync_file(self, handle: int) -> None:
        self.ask(FS_SYNC_FILE, struct.pack("<I", handle))

    def stat_file(self, handle: int) -> Stat:
        return _stat(self.ask(FS_STAT_FILE, struct.pack("<I", handle))[1])

    def list_from(self, handle: int, start: int, most: int = PAYLOAD_MAX) -> list[tuple[str, int, int, int]]:
        """@return name, type, inode, and where to go on, of each entry"""
        payload = self.ask(FS_LIST, struct.pack("<QII", start, handle, most))[1]
        entries, at = [], 0
        while at < len(payload):
            inode, following, length, kind, count = struct.unpack_from("<QQHBB", payload, at)
            name = payload[at + 20:at + 20 + count].decode()
            entries.append((name, kind, inode, following))
            at += length
        return entries

    def list(self, path: str, most: int = PAYLOAD_MAX) -> dict[str, int]:
        """Types of the entries by name."""
        handle, found, start = self.open(path, READ | DIRECTORY), {}, 0
        while entries := self.list_from(handle, start, most):
            for name, kind, _, start in entries:
                assert name not in found, f"{name} twice in {path}"
                found[name] = kind
        self.close_file(handle)
        return found

    # -- names ---------------------------------------------------------------------------------

    def stat(self, path: str | bytes, flags: int = 0, dir: int = 0) -> Stat:
        return _stat(self.ask(FS_STAT, struct.pack("<II", dir, flags), _bytes(path))[1])

    def access(self, path: str, how: int) -> None:
        self.ask(FS_ACCESS, struct.pack("<II", 0, how), _bytes(path))

    def make_dir(self, path: str | bytes, mode: int = 0o755, dir: int = 0) -> None:
        self.ask(FS_MAKE_DIR, struct.pack("<II", dir, mode), _bytes(path))

    def remove(self, path: str, directory: bool = False) -> None:
        self.ask(FS_REMOVE, struct.pack("<II", 0, directory), _bytes(path))

    def rename(self, old: str, new: str) -> None:
        self.ask(FS_RENAME, struct.pack("<II", 0, 0), _bytes(old) + b"\0" + _bytes(new))

    def link(self, old: str, new: str) -> None:
        self.ask(FS_LINK, struct.pack("<II", 0, 0), _bytes(old) + b"\0" + _bytes(new))

    def symlink(self, says: str, path: str) -> None:
        self.ask(FS_SYMLINK, struct.pack("<I", 0), _bytes(says) + b"\0" + _bytes(path))

    def read_link(self, path: str) -> str:
        return self.ask(FS_READ_LINK, struct.pack("<I", 0), _bytes(path))[1].decode()

    def set_mode(self, path: str, mode: int) -> None:
        self.ask(FS_SET_MODE, struct.pack("<II", 0, mode), _bytes(path))

    def set_owner(self, path: str, user: int, group: int) -> None:
        self.ask(FS_SET_OWNER, struct.pack("<III", 0, user, group), _bytes(path))

    def set_times(self, path: str, accessed_ns: int, modified_ns: int) -> None:
        self.ask(FS_SET_TIMES, struct.pack("<qqI", accessed_ns, modified_ns, 0), _bytes(path))

    # -- all of it -----------------------------------------------------------------------------

    def sync(self) -> None:
        self.ask(FS_SYNC)

    def statfs(self) -> dict[str, int]:
        names = ("block_bytes", "name_max", "blocks", "blocks_free", "blocks_available", "inodes",
                 "inodes_free", "read_only", "dirty_pages", "cache_pages")
        return dict(zip(names, struct.unpack_from("<IIQQQQQIII", self.ask(FS_STATFS)[1])))

    def credentials(self, process: int, user: int, group: int) -> None:
        self.ask(FS_CREDENTIALS, struct.pack("<iII", process, user, group))

    def counts(self) -> dict[str, int]:
        names = ("hits", "misses", "commits", "handles", "dirty_pages", "version", "searches")
        return dict(zip(names, struct.unpack_from("<QQQIIII", self.ask(FS_COUNTS)[0])))

    # -- whole files ---------------------------------------------------------------------------

    def put(self, path: str, data: bytes) -> None:
        handle = self.open(path, WRITE | CREATE | TRUNCATE)
        self.write_all(handle, data)
        self.close_file(handle)

    def get(self, path: str) -> bytes:
        handle = self.open(path, READ)
        data = self.read_all(handle)
        self.close_file(handle)
        return data


def _bytes(path: str | bytes) -> bytes:
    return path if isinstance(path, bytes) else path.encode()


def _stat(payload: bytes) -> Stat:
    return Stat(*struct.unpack("<QQQqqqIIII", payload))


def make_image(path: Path, megabytes: int, *options: str) -> Path:
    """A new ext4 file system with 4 KiB blocks."""
    with path.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", *options, str(path)], check=True)
    return path


def check_image(path: Path) -> None:
    """It was left in order, and e2fsck finds nothing."""
    stats = debugfs(path, "stats -h").lower()
    assert "needs_recovery" not in stats and "first orphan" not in stats
    done = subprocess.run(["e2fsck", "-fn", str(path)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def debugfs(path: Path, command: str) -> str:
    return subprocess.run(["debugfs", "-R", command, str(path)], text=True, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def storage_manifest(image: Path, options: list[str], cache_bytes: int) -> Manifest:
    """Storage is not killed while it writes back, however slow the host is."""
    return Manifest.empty(timeouts_ms={"stop": 60_000}).add_storage(image, cache_bytes, *options)


class Storage:
    """A system with a file system, and clients of it."""

    def __init__(self, folder: Path, image: Path, clients: tuple[str, ...] = ("filer",),
                 options: list[str] | None = None, cache_bytes: int = 8 << 20, **system: Any):
        self.image = image
        manifest = storage_manifest(image, options or [], cache_bytes)
        self.filers = {name: Filer(self._wire(manifest, folder, name)) for name in clients}
        self.system = System(manifest, **system)
        self.filer = next(iter(self.filers.values()))

    @staticmethod
    def _wire(manifest: Manifest, folder: Path, name: str) -> socket.socket:
        path = folder / f"{name}.sock"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        manifest.add(name, file="filer", restart="never", calls=[{"to": "storage"}])
        manifest.data["wires"].append(
            {"name": f"filer-{name}", "kind": "stream", "to": name, "path": str(path)})
        return listener

    def __enter__(self) -> Storage:
        self.system.__enter__()
        for filer in self.filers.values():
            filer.connect()
        return self

    def __exit__(self, *failure: Any) -> None:
        for filer in self.filers.values():
            filer.close()
        self.system.__exit__(*failure)

    def says(self, text: str) -> None:
        """Waits until it stands in storage's log, which gets there by and by."""
        self.system.wait(lambda: text in self.system.log("storage"), f"{text!r} in storage's log")

    def end(self) -> None:
        """Shuts it down, in order, and looks at the image."""
        self.system.shutdown()
        check_image(self.image)
