#!/usr/bin/python3
"""Updates in a new version that has too little memory:  starve.py [--limit] OLD NEW

OLD and NEW are an update pair (pair.h). The new version is started again and again, with --limit
each time with more address space, until an update succeeds. Each one that fails must leave the old
version whole; at least one must fail for want of memory while it imports."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections import Counter

REPLY_MAX = 1 << 16
ARENA_BYTES = 16 << 30
STEP_BYTES = 3 << 20
ATTEMPTS = 200


class Gone(Exception):
    """The version ended."""


class Version:
    def __init__(self, path: str, kind: str, limit: int | None = None) -> None:
        self.path = path
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            [path, kind], stdin=theirs, stderr=subprocess.DEVNULL if limit else None,
            preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))))
        theirs.close()

    def tell(self, command: bytes, *fds: int) -> None:
        try:
            socket.send_fds(self.control, [command], fds)
        except OSError as error:
            raise Gone from error

    def hear(self) -> int:
        """@return 0 or a negative errno"""
        try:
            reply = self.control.recv(REPLY_MAX)
        except OSError as error:
            raise Gone from error
        if not reply:
            raise Gone
        return struct.unpack_from("i", reply)[0]

    def ask(self, command: bytes, *fds: int) -> int:
        self.tell(command, *fds)
        return self.hear()

    def must(self, command: bytes, *fds: int) -> None:
        error = self.ask(command, *fds)
        if error:
            sys.exit(f"{self.path}: command {command!r}: {os.strerror(-error)}")

    def stop(self) -> int:
        """@return the signal that it died of before, or 0"""
        status = self.process.poll()
        self.process.kill()
        self.process.wait()
        self.control.close()
        return -status if status is not None and status < 0 else 0


def import_state(old: Version, new: Version) -> str:
    """@return what came of it"""
    with open(old.path, "rb") as executable:
        error = new.ask(b"l", executable.fileno())
    if error:
        return f"plan: {errno.errorcode[-error]}"
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        old.must(b"p", ours.fileno())
        new.tell(b"i", theirs.fileno())
    error = old.ask(b"x")
    if error not in (0, -errno.EPIPE):
        sys.exit(f"export: {os.strerror(-error)}")
    error = new.hear()
    return f"import: {errno.errorcode[-error]}" if error else "updated"


def attempt(old: Version, path: str, limit: int | None) -> tuple[str, Version]:
    new = Version(path, "update", limit)
    try:
        outcome = import_state(old, new)
    except Gone:
        new.process.wait()
        outcome = "gone"
    if outcome != "updated":
        died = new.stop()
        if died:
            outcome = f"killed by {signal.Signals(died).name}"
        old.must(b"c")
        old.must(b"v")
        return outcome, old
    old.stop()
    new.must(b"m")
    new.must(b"v")
    return outcome, new


def main() -> None:
    *options, old_path, new_path = sys.argv[1:]
    old = Version(old_path, "fresh")
    old.must(b"b")
    outcomes: Counter[str] = Counter()
    for i in range(ATTEMPTS):
        limit = ARENA_BYTES + i * STEP_BYTES if "--limit" in options else None
        outcome, last = attempt(old, new_path, limit)
        outcomes[outcome] += 1
        if last is not old:
            last.stop()
            break
    print(dict(outcomes))
    if not outcomes["updated"]:
        sys.exit("no update succeeded")
    if not outcomes["import: ENOMEM"]:
        sys.exit("no import ran out of memory")
    if any(outcome.startswith("killed") for outcome in outcomes):
        sys.exit("a new version crashed where it should have given up")


if __name__ == "__main__":
    main()
