"""Bulk download through a TAP device, and where the time goes."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from proteos import Manifest, System
from proteos.namespace import TapNamespace, Unavailable

from plain_server import PlainServer
from result import distribution, result

DOWNLOADS = 5
BYTES = 200_000_000
ADDRESS = "http://10.0.2.15"


def _download_mbps(url: str, prefix: list[str]) -> float:
    done = subprocess.run([*prefix, "curl", "--silent", "--show-error", "--fail", "-o", "/dev/null",
                           "-w", "%{size_download} %{time_total}", f"{url}/bytes/{BYTES}"],
                          check=True, text=True, stdout=subprocess.PIPE)
    size, seconds = done.stdout.split()
    if int(size) != BYTES:
        raise RuntimeError(f"short download: {size} bytes")
    return BYTES * 8 / 1e6 / float(seconds)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _curl_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _cpu(pids: dict[str, int]) -> dict[str, float]:
    """CPU seconds used so far by each process of the system, and by the clients that ended."""
    return {**{name: _cpu_seconds(pid) for name, pid in pids.items()}, "curl": _curl_seconds()}


def _shares(before: dict[str, float], after: dict[str, float], seconds: float) -> str:
    shares = {name: 100 * (after[name] - before[name]) / seconds for name in after}
    return ", ".join(f"{name} {share:.0f} %"
                     for name, share in sorted(shares.items(), key=lambda s: -s[1]))


def measure() -> list[dict]:
    try:
        with TapNamespace() as inside:
            return _measure(inside)
    except Unavailable as reason:
        if "tap" in os.environ.get("REQUIRE", "").split(","):
            raise
        print(f"bench: skipped: tap ({reason})", file=sys.stderr)
        return []


def _measure(inside: TapNamespace) -> list[dict]:
    manifest = Manifest().wire(kind="tap", device=inside.device)
    manifest.data["wires"][0].pop("forward")
    with System(manifest, prefix=inside.prefix) as system:
        pids = {name: c.pid for name, c in system.status().items()}
        pids["busd"] = system.instance().busd_pid
        _download_mbps(ADDRESS, inside.prefix)  # warm up
        before, start = _cpu(pids), time.monotonic()
        downloads = [_download_mbps(ADDRESS, inside.prefix) for _ in range(DOWNLOADS)]
        seconds, after = time.monotonic() - start, _cpu(pids)
    with PlainServer() as url:
        plain = [_download_mbps(url, []) for _ in range(DOWNLOADS)]
    return [result("http_tap_mbps", statistics.median(downloads), "Mbit/s",
                   "a Python server on loopback", statistics.median(plain),
                   mbps=distribution(downloads),
                   share_of_one_cpu=_shares(before, after, seconds))]
