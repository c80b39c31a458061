"""Programs that stand alone: starting, talking to, and updating them."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

BUILD = Path(os.environ["STANDALONE"])
ST_RUN, ST_UPDATE = os.environ["ST_RUN"], os.environ["ST_UPDATE"]
LIMIT = 600  # s, after which something hangs


def wait(condition, what):
    until = time.monotonic() + LIMIT
    while not (result := condition()):
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.01)
    return result


def children(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Counter:
    def __init__(self, *arguments, version="v1", run=False, cwd=None, **more):
        command = [str(BUILD / f"counter.{version}"), *arguments]
        self.process = subprocess.Popen([ST_RUN, *command] if run else command, cwd=cwd, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        self.pid = self.process.pid
        self.port = int(self.process.stdout.readline())
        self.socket = self.connect()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)

    def tell(self, line, on=None):
        (on or self.socket).sendall(line.encode() + b"\n")

    def answer(self, on=None):
        text = (on or self.socket).recv(1000).decode()
        return dict(word.split("=", 1) for word in text.split())

    def ask(self, line="get", on=None):
        self.tell(line, on)
        return self.answer(on)

    @property
    def program(self):
        """The process of the version that runs."""
        return children(self.pid)[0]

    def end(self):
        versions = children(self.pid)
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        finally:
            self.process.kill()
        self.socket.close()
        self.process.stdout.close()
        self.process.stdin.close()
        for version in versions:
            wait(lambda: not alive(version), "the program's end with its supervisor")


@contextlib.contextmanager
def counter(*arguments, **more):
    c = Counter(*arguments, **more)
    try:
        yield c
    finally:
        c.end()


def start_update(pid, version, *options):
    path = version if "/" in str(version) else BUILD / f"counter.{version}"
    return subprocess.Popen([ST_UPDATE, *options, str(pid), str(path)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def update(pid, version, *options):
    """(exit status, standard output, standard error)"""
    with start_update(pid, version, *options) as p:
        out, err = p.communicate(timeout=LIMIT)
        return p.returncode, out, err
