"""A program that blocks wherever it waits (apps/tcp-echo), on sockets whose answers come later."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

import pytest

from proteos import PATIENCE, Manifest, System


@pytest.fixture
def echo_system():
    manifest = Manifest().wire(forward="127.0.0.1:0 -> 10.0.2.15:7")
    manifest.data["components"] = [c for c in manifest.data["components"] if c["name"] != "httpd"]
    manifest.add("tcp-echo", calls=[{"to": "net"}], restart="always")
    with System(manifest) as system:
        yield system


def connect(system: System) -> socket.socket:
    parts = urlsplit(system.url())
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)


def exchange(sock: socket.socket, data: bytes) -> None:
    sock.sendall(data)
    back = b""
    while len(back) < len(data):
        part = sock.recv(65536)
        assert part, f"the stream ended after {len(back)} of {len(data)} bytes"
        back += part
    assert back == data


def test_bytes_come_back(echo_system):
    for n in (1, 1460, 100_000):
        with connect(echo_system) as sock:
            exchange(sock, os.urandom(n))


def test_its_servers_are_updated_while_it_waits(echo_system):
    before = echo_system.status()["tcp-echo"].pid
    with connect(echo_system) as sock:
        exchange(sock, b"before")
        for turn in range(6):
            suffix = ("", ".new")[turn % 2 == 0]
            for name in ("net", "e1000"):
                echo_system.mupdate(name, f"/bin/{name}{suffix}")
            echo_system.mupdate_start()
            exchange(sock, os.urandom(50_000))
    with connect(echo_system) as sock:  # its accept was waiting, too
        exchange(sock, b"after")
    assert echo_system.status()["tcp-echo"].pid == before
