"""The system on a TAP device, with the kernel's own clients on the other side."""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
from contextlib import contextmanager
from typing import Iterator

import pytest

from proteos import PATIENCE, Manifest, System, bytes as httpd_bytes
from proteos.load import Load

pytestmark = pytest.mark.tap

ADDRESS = "10.0.2.15"
URL = f"http://{ADDRESS}"


@pytest.fixture
def tap_system(namespace):
    manifest = Manifest().wire(kind="tap", device=namespace.device)
    manifest.data["wires"][0].pop("forward", None)
    with System(manifest, prefix=namespace.prefix) as system:
        yield system


def ping(namespace, packets: int, *options: str) -> None:
    """None is lost: ping sends until so many have come back, and these are the first ones."""
    done = namespace.run("ping", "-c", str(packets), "-i", "0.01", "-w", str(int(PATIENCE)), *options,
                         ADDRESS)
    assert done.returncode == 0, done.stdout
    came = [int(n) for n in re.findall(r"icmp_seq=(\d+)", done.stdout)]
    assert came == list(range(1, packets + 1)), done.stdout


def test_ping(namespace, tap_system):
    ping(namespace, 20)


def test_ping_with_large_packets(namespace, tap_system):
    ping(namespace, 5, "-s", "1400")


def test_curl(namespace, tap_system, tmp_path):
    n = 50_000_000
    done = namespace.run("curl", "-sSf", "-o", str(tmp_path / "body"), f"{URL}/bytes/{n}")
    assert done.returncode == 0, done.stdout
    body = (tmp_path / "body").read_bytes()
    assert hashlib.sha256(body).hexdigest() == httpd_bytes.sha256(n)


@contextmanager
def wrk(namespace, system: System, connections: int) -> Iterator[None]:
    """wrk is at work in the body, and content in the end."""
    def requests() -> int:
        return int(system.status()["httpd"].messages)

    before = requests()
    running = subprocess.Popen([*namespace.prefix, "wrk", "-t1", f"-c{connections}", "-d600s",
                                "--timeout", "60s", f"{URL}/bytes/1000"], text=True,
                               stdout=subprocess.PIPE)
    try:
        system.wait(lambda: running.poll() is not None or requests() > before + 1000,
                    "wrk's requests")
        yield
    finally:
        running.send_signal(signal.SIGINT)  # it prints what it has seen
        output = running.communicate(timeout=PATIENCE)[0]
    assert re.search(r"[1-9]\d* requests in", output), output
    assert not re.search(r"Socket errors|Non-2xx", output), output


def test_wrk(namespace, tap_system):
    with wrk(namespace, tap_system, 16):
        pass


def test_updates_under_wrk_curl_and_ping(namespace, tap_system):
    with Load(URL, connections=8, streams=1, pause_us=1000, prefix=namespace.prefix) as load:
        load.wait_until_busy()
        for turn in range(10):
            suffix = ("", ".new")[turn % 2 == 0]
            for name in ("net", "e1000"):
                tap_system.mupdate(name, f"/bin/{name}{suffix}")
            tap_system.mupdate_start()
        ping(namespace, 5)
        figures = load.finish()
        assert figures["failed"] == 0, load.errors()
    assert tap_system.status()["net"].updates == 10


def test_wrk_notices_no_update(namespace, tap_system):
    with wrk(namespace, tap_system, 8):
        for turn in range(12):
            tap_system.update("net", "/bin/net" + ("", ".new")[turn % 2 == 0])
