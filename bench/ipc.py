"""Round trips: a component's call beside a minimal relay and a dbus-daemon, all on one CPU."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from proteos import Manifest, System, wait_for
from proteos.build import BUILD

from result import distribution, result

REPEATS = 10  # each peer in turn, so that a disturbance hits all alike
ROUNDS = 5
CALLS = 2000
DBUS_CALLS = 500


def _lines(*command: str) -> list[float]:
    """Numbers that a program printed, nanoseconds, as microseconds."""
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    return [float(line) / 1000 for line in done.stdout.split()]


def relay(cpu: int) -> list[float]:
    return _lines(str(BUILD / "bench" / "relay"), str(cpu), str(ROUNDS), str(CALLS))


def component_calls(cpu: int) -> list[float]:
    manifest = Manifest.empty(cpu=cpu)
    manifest.add("echo", "bench-echo")
    manifest.add("caller", "bench-caller", args=[str(ROUNDS), str(CALLS)], calls=[{"to": "echo"}])
    with System(manifest) as system:
        wait_for(lambda: re.search(r"\bdone$", system.log("caller"), re.M), "the caller", 60)
        return [float(ns) / 1000 for ns in re.findall(r"\bround (\S+)$", system.log("caller"), re.M)]


@contextmanager
def _dbus_daemon(cpu: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="proteos-dbus-") as directory:
        address = f"unix:path={directory}/bus"
        daemon = subprocess.Popen(
            ["dbus-daemon", f"--config-file={Path(__file__).with_name('dbus.conf')}",
             f"--address={address}", "--nofork", "--print-address"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        try:
            daemon.stdout.readline()  # it listens now
            yield address
        finally:
            daemon.terminate()
            daemon.wait()


def dbus(cpu: int) -> list[float]:
    with _dbus_daemon(cpu) as address:
        return _lines(str(BUILD / "bench" / "dbus"), str(cpu), str(ROUNDS), str(DBUS_CALLS), address)


def measure() -> list[dict]:
    cpu = max(os.sched_getaffinity(0))
    relays, calls, dbuses = [], [], []
    for _ in range(REPEATS):
        relays += relay(cpu)
        calls += component_calls(cpu)
        dbuses += dbus(cpu)
    relay_us, ipc_us, dbus_us = map(statistics.median, (relays, calls, dbuses))
    return [
        result("ipc_rtt_over_relay", ipc_us, "us", "four-hop epoll relay", relay_us,
               ipc_us=distribution(calls), relay_us=distribution(relays)),
        result("dbus_over_ipc_rtt", dbus_us, "us", "IPC round trip", ipc_us,
               dbus_us=distribution(dbuses)),
    ]
