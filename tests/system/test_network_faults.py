"""Crashes below and in the network stack, and clients that misbehave while it is updated."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from urllib.parse import urlsplit

import pytest

from proteos import PATIENCE, System, bytes as httpd_bytes


def connect(system: System) -> socket.socket:
    parts = urlsplit(system.url())
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)


def fetch(system: System, n: int) -> bytes:
    """The body of /bytes/n, over a connection of its own."""
    with connect(system) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % n)
        return stream.read().partition(b"\r\n\r\n")[2]


def answers(system: System) -> bool:
    try:
        return fetch(system, 1000) == httpd_bytes.body(1000)
    except ConnectionError:
        return False


@pytest.mark.parametrize("component", ["e1000", "e1000-model"])
def test_downloads_survive_a_crash_below_the_stack(system, component):
    n = 40_000_000
    with subprocess.Popen(["curl", "-sS", "--max-time", str(PATIENCE), "--limit-rate", "30M",
                           system.url(f"/bytes/{n}")], stdout=subprocess.PIPE) as curl:
        assert curl.stdout
        body = curl.stdout.read(2_000_000)
        for restarts in (1, 2):
            system.kill(component)
            system.wait_for_restart(component, restarts)
            body += curl.stdout.read(2_000_000)
        body += curl.stdout.read()
    assert curl.returncode == 0
    assert hashlib.sha256(body).hexdigest() == httpd_bytes.sha256(n)


def test_clients_learn_of_a_dead_application_at_once(system):
    with connect(system) as sock:
        sock.sendall(b"GET /bytes/1000000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100_000)
        system.kill("httpd")
        with pytest.raises((ConnectionError, EOFError)):
            while True:
                if not sock.recv(1 << 20):
                    raise EOFError


@pytest.mark.parametrize("component", ["net", "httpd"])
def test_service_is_back_after_a_crash(system, component):
    assert fetch(system, 1000) == httpd_bytes.body(1000)
    system.kill(component)
    system.wait_for_restart(component)
    system.wait(lambda: answers(system), "the service")


def misbehave(system: System, seed: int) -> None:
    """Sends rubbish, goes away in the middle, asks without reading; what it gets is no matter."""
    choose = random.Random(seed)
    for _ in range(40):
        try:
            with connect(system) as sock:
                way = choose.randrange(4)
                if way == 0:
                    sock.sendall(os.urandom(choose.randrange(1, 20_000)))
                elif way == 1:
                    sock.sendall(b"GET /bytes/9999999 HTTP/1.1\r\nHost: x\r\n\r\n")
                    sock.recv(1000)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif way == 2:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
                    sock.recv(100)
                else:
                    sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhello")
                    sock.shutdown(socket.SHUT_WR)
                    sock.recv(100)
        except OSError:
            pass


def behave(system: System, seed: int, enough: Event) -> list[int]:
    """At least so often, and until it is enough. @return the sizes whose bodies were wrong"""
    choose, wrong, fetched = random.Random(seed), [], 0
    while fetched < 40 or not enough.is_set():
        n = choose.choice((0, 1, 1459, 1460, 5000, 70_000, 300_000))
        wrong += [n] * (fetch(system, n) != httpd_bytes.body(n))
        fetched += 1
    return wrong


def update_all(system: System, suffix: str) -> bool:
    """@return False if the smaller table of httpd's older version had no room for who is connected."""
    for name in ("net", "e1000", "httpd"):
        system.mupdate(name, f"/bin/{name}{suffix}")
    done = system.try_prctl("mupdate-start")
    assert done.returncode == 0 or "`conns[64]` and what follows hold data" in done.stdout, done.stdout
    return done.returncode == 0


def test_updates_while_clients_come_go_and_misbehave(system):
    enough = Event()
    with ThreadPoolExecutor(16) as pool:
        bad = [pool.submit(misbehave, system, seed) for seed in range(6)]
        good = [pool.submit(behave, system, seed, enough) for seed in range(10)]
        turn = 0
        try:
            while not all(one.done() for one in good + bad):
                turn += update_all(system, (".new", "")[turn % 2])
                if turn >= 2:
                    enough.set()
        finally:
            enough.set()
        assert [one.result() for one in good] == [[]] * len(good)
        for one in bad:
            one.result()
    assert turn >= 2
    assert all(c.restarts == 0 for c in system.status().values())
