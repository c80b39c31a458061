"""Files of storage, by messages, beside system calls on the host's own file system, in one run.

Sequential: 64 KiB requests of a file that the cache has room for. Random: 4 KiB requests of a file that is
64 times as large as the cache, so that nearly all go to the disk, whose medium is in memory."""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from proteos import Manifest, System, wait_for

from result import distribution, result

ROUNDS = 5
LENT_SIZES = (4096, 16384, 65536, 262144, 1048576)  # of a request
REPEATS = 3  # each peer in turn
FILE_MB = 32
LARGE_MB = 128
PIECE = 65536
BLOCK = 4096
REQUESTS = 20000
LARGE_CACHE = 256 << 20
SMALL_CACHE = 2 << 20


def _make_image(path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="proteos-files-") as folder:
        for name, megabytes in (("file", FILE_MB), ("large", LARGE_MB)):
            with Path(folder, name).open("wb") as file:
                for _ in range(megabytes):
                    file.write(random.randbytes(1 << 20))
        with path.open("wb") as file:
            file.truncate((FILE_MB * 3 + LARGE_MB) * 3 // 2 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-b", str(BLOCK), "-d", folder, str(path)], check=True,
                       env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def _manifest(image: Path, cache_bytes: int, args: list[str]) -> Manifest:
    manifest = Manifest.empty().add("mm", kernel=["memory"])
    manifest.add_storage(image, cache_bytes, calls=("mm",))
    return manifest.add("files", "bench-files", args=args, calls=[{"to": "storage"}, {"to": "mm"}])


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bus_percent(system: System) -> float:
    bus = _cpu_s(system.instance().busd_pid)
    return 100 * bus / (bus + sum(_cpu_s(c.pid) for c in system.status().values()))


def _component(image: Path, cache_bytes: int, *args: str) -> dict[str, list[float]]:
    """What it logs, by name; and of the CPU time of all, the bus's share in percent."""
    with System(_manifest(image, cache_bytes, [str(ROUNDS), *args])) as system:
        wait_for(lambda: re.search(r"\bdone$", system.log("files"), re.M), "the files", 120)
        found: dict[str, list[float]] = {"bus_percent": [_bus_percent(system)]}
        for name, value in re.findall(r"\b(\w+) ([\d.]+)$", system.log("files"), re.M):
            found.setdefault(name, []).append(float(value))
        return found


# ---- system calls ----

def _timed(bytes_: int, work) -> float:
    start = time.monotonic()
    work()
    return bytes_ / 1e6 / (time.monotonic() - start)


def _host_read(path: Path) -> float:
    buffer = bytearray(PIECE)
    with path.open("rb", buffering=0) as file:
        return _timed(path.stat().st_size,
                      lambda: [file.readinto(buffer) for _ in range(FILE_MB << 20 >> 16)])


def _host_write(path: Path) -> float:
    data = bytes(PIECE)
    with path.open("wb", buffering=0) as file:
        return _timed(FILE_MB << 20, lambda: [file.write(data) for _ in range(FILE_MB << 20 >> 16)])


def _host_random(path: Path) -> float:
    """Requests a second, past the host's cache where its file system allows that."""
    import mmap
    buffer = mmap.mmap(-1, BLOCK)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        start = time.monotonic()
        for _ in range(REQUESTS // 10):
            os.preadv(fd, [buffer], random.randrange(LARGE_MB << 20 >> 12) << 12)
        return REQUESTS // 10 / (time.monotonic() - start)
    finally:
        os.close(fd)


def _host_files(folder: Path) -> tuple[Path, Path]:
    small, large = folder / "file", folder / "large"
    small.write_bytes(bytes(FILE_MB << 20))
    with large.open("wb") as file:
        for _ in range(LARGE_MB):
            file.write(random.randbytes(1 << 20))
        os.fsync(file.fileno())
    return small, large


def measure() -> list[dict]:
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="proteos-image-", dir=memory) as ram, \
            tempfile.TemporaryDirectory(prefix="proteos-host-", dir="/var/tmp") as folder:
        image = Path(ram, "disk.img")
        _make_image(image)
        small, large = _host_files(Path(folder))
        found: dict[str, list[float]] = {}
        for _ in range(REPEATS):
            runs = {"write": (LARGE_CACHE, "write", "/new", str(FILE_MB)),
                    "read": (LARGE_CACHE, "read", "/file"),
                    "sizes": (LARGE_CACHE, "sizes", "/file"),
                    "deep": (SMALL_CACHE, "random", "/large", "16", str(REQUESTS)),
                    "listed": (SMALL_CACHE, "lists", "/large", "16", str(REQUESTS)),
                    "single": (SMALL_CACHE, "random", "/large", "1", str(REQUESTS // 4))}
            for name, (cache, *args) in runs.items():
                for what, values in _component(image, cache, *args).items():
                    key = {"random": name, "lists": name, "bus_percent": f"{name}_bus"}.get(what, what)
                    found.setdefault(key, []).extend(values)
            for name, values in (("host_read", _host_read(small)), ("host_write", _host_write(small)),
                                 ("host_random", _host_random(large))):
                found.setdefault(name, []).append(values)
    median = {name: statistics.median(values) for name, values in found.items()}
    return [
        result("storage_seq_read_mbps", median["read"], "MB/s", "read() of the host",
               median["host_read"], read=distribution(found["read"]),
               bus_percent=distribution(found["read_bus"])),
        result("storage_seq_write_mbps", median["write"], "MB/s", "write() of the host",
               median["host_write"], write=distribution(found["write"]),
               bus_percent=distribution(found["write_bus"]),
               write_and_sync=distribution(found["write_sync"])),
        result("storage_rand_4k_iops", median["deep"], "1/s", "preadv() of the host, O_DIRECT",
               median["host_random"], depth_16=distribution(found["deep"]),
               bus_percent=distribution(found["deep_bus"]), depth_1=distribution(found["single"])),
        result("storage_rand_4k_list_iops", median["listed"], "1/s", "one message a read",
               median["deep"], depth_16=distribution(found["listed"]),
               bus_percent=distribution(found["listed_bus"])),
        *(result(f"storage_lent_{size}_mbps", median[f"lent_{size}"], "MB/s", "as payload",
                 median[f"payload_{size}"]) for size in LENT_SIZES),
    ]
