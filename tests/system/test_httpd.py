"""The web server as usual clients see it."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from proteos import PATIENCE, bytes as httpd_bytes
from proteos.load import Load


def curl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(PATIENCE), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("n", [0, 1, 1459, 1460, 1461, 65521, 100_000, 20_000_000])
def test_bytes_have_the_digest_that_a_client_knows(system, n):
    done = curl("--fail", system.url(f"/bytes/{n}"))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) == n
    assert hashlib.sha256(done.stdout).hexdigest() == httpd_bytes.sha256(n)


def test_status_page(system):
    done = curl("--fail", "--include", system.url("/"))
    assert done.returncode == 0
    assert done.stdout.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("path, status", [("/no-such-page", "404"), ("/bytes/", "404|400"),
                                          ("/bytes/-1", "404|400"), ("/bytes/x", "404|400")])
def test_wrong_paths(system, path, status):
    done = curl("-o", "/dev/null", "-w", "%{http_code}", system.url(path))
    assert done.stdout.decode() in status.split("|")
    assert curl("--fail", system.url("/bytes/5")).stdout == httpd_bytes.body(5)


def test_keep_alive_uses_one_connection(system):
    done = curl("--fail", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
                "-w", "%{num_connects} ", *[system.url(f"/bytes/{n}") for n in (10, 20, 30)])
    assert done.stdout.split() == [b"1", b"0", b"0"]


def connect(system) -> socket.socket:
    parts = urlsplit(system.url())
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)


def read_answer(stream) -> bytes:
    assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
    length = None
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    assert length is not None
    return stream.read(length)


def test_pipelined_requests_are_answered_in_order(system):
    sizes = [7, 3000, 1, 0, 50_000, 2]
    with connect(system) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"".join(b"GET /bytes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in sizes))
        for n in sizes:
            assert read_answer(stream) == httpd_bytes.body(n)


def test_a_request_in_single_bytes(system):
    with connect(system) as sock, sock.makefile("rb") as stream:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /bytes/12 HTTP/1.1\r\nHost: x\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert read_answer(stream) == httpd_bytes.body(12)


def test_connection_close_is_honoured(system):
    with connect(system) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"GET /bytes/12 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_answer(stream) == httpd_bytes.body(12)
        assert stream.read() == b""


def test_several_downloads_at_once(system):
    n = 1_000_000
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: curl("--fail", system.url(f"/bytes/{n}")), range(16)))
    for one in done:
        assert one.returncode == 0, one.stderr
        assert one.stdout == httpd_bytes.body(n)


def test_many_connections(system):
    with Load(system.url(), connections=32, streams=2) as load:
        answered = 0
        while answered < 1000:
            answered += sum(marks["requests"] for marks in load.wait_until_busy())
        assert load.finish()["failed"] == 0, load.errors()


def test_clients_that_go_away_do_no_harm(system):
    for _ in range(50):
        with connect(system) as sock:
            sock.sendall(b"GET /bytes/10000000 HTTP/1.1\r\nHost: x\r\n\r\n")
            sock.recv(1)
    assert curl("--fail", system.url("/bytes/5")).stdout == httpd_bytes.body(5)
    assert all(c.state == "running" and c.restarts == 0 for c in system.status().values())


def test_a_slow_reader_gets_everything_and_holds_nobody_up(system):
    n = 3_000_000
    with connect(system) as sock:
        sock.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % n)
        assert curl("--fail", system.url(f"/bytes/{n}")).stdout == httpd_bytes.body(n)
        with sock.makefile("rb") as stream:
            assert read_answer(stream) == httpd_bytes.body(n)
