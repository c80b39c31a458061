"""The system on a TAP device, with the kernel's own clients on the other side."""

from __future__ import annotations

import hashlib
import re
import subprocess

import pytest

from proteos import Manifest, System, bytes as httpd_bytes
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


def test_ping(namespace, tap_system):
    done = namespace.run("ping", "-c", "20", "-i", "0.01", "-W", "2", ADDRESS)
    assert done.returncode == 0, done.stdout
    assert " 0% packet loss" in done.stdout


def test_ping_with_large_packets(namespace, tap_system):
    done = namespace.run("ping", "-c", "5", "-i", "0.01", "-W", "2", "-s", "1400",
                         ADDRESS)
    assert " 0% packet loss" in done.stdout


def test_curl(namespace, tap_system, tmp_path):
    n = 50_000_000
    done = namespace.run("curl", "-sSf", "-o", str(tmp_path / "body"), f"{URL}/bytes/{n}")
    assert done.returncode == 0, done.stdout
    body = (tmp_path / "body").read_bytes()
    assert hashlib.sha256(body).hexdigest() == httpd_bytes.sha256(n)


def wrk_is_content(output: str) -> bool:
    return not re.search(r"Socket errors|Non-2xx", output) and bool(
        re.search(r"[1-9]\d* requests in", output))


def test_wrk(namespace, tap_system):
    done = namespace.run("wrk", "-t1", "-c16", "-d2s", f"{URL}/bytes/1000")
    assert done.returncode == 0 and wrk_is_content(done.stdout), done.stdout


def test_updates_under_wrk_curl_and_ping(namespace, tap_system):
    with Load(URL, connections=8, streams=1, pause_us=1000, prefix=namespace.prefix) as load:
        load.wait_until_busy()
        for turn in range(10):
            suffix = ("", ".new")[turn % 2 == 0]
            for name in ("net", "e1000"):
                tap_system.mupdate(name, f"/bin/{name}{suffix}")
            tap_system.mupdate_start()
        ping = namespace.run("ping", "-c", "5", "-i", "0.01", "-W", "2", ADDRESS)
        assert " 0% packet loss" in ping.stdout, ping.stdout
        figures = load.finish()
        assert figures["failed"] == 0, load.errors()
    assert tap_system.status()["net"].updates == 10


def test_wrk_notices_no_update(namespace, tap_system):
    wrk = subprocess.Popen([*namespace.prefix, "wrk", "-t1", "-c8", "-d3s", "--timeout", "2s",
                            f"{URL}/bytes/1000"], text=True, stdout=subprocess.PIPE)
    updates = 0
    while wrk.poll() is None:
        tap_system.update("net", "/bin/net" + ("", ".new")[updates % 2 == 0])
        updates += 1
    output = wrk.communicate()[0]
    assert updates >= 3
    assert wrk_is_content(output), output
