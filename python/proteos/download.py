"""A long download by curl, watched: its digest, and the longest time without bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from typing import Any

from . import bytes as httpd_bytes
from .pace import Pace


class Download:
    """Downloads /bytes/N of a server, or a file of `content`, in the background for as long as the
    `with` lasts.

    path, content   the file, and what is in it; its length counts instead of `n`
    rate            bytes per second at which it is read, until hurry() is called; None: any"""

    def __init__(self, url: str, n: int = 0, prefix: list[str] | None = None,
                 limit_rate: str | None = None, path: str = "", content: bytes = b"",
                 rate: float | None = None):
        limit = ["--limit-rate", limit_rate] if limit_rate else []
        self.command = [*(prefix or []), "curl", "--silent", "--show-error", "--no-buffer",
                        *limit, f"{url.rstrip('/')}{path or f'/bytes/{n}'}"]
        self.expected = len(content) if path else n
        self.content = content if path else None
        self.rate = rate
        self.received = 0
        self.longest_gap_s = 0.0
        self.status: int | None = None
        self.errors = ""
        self._digest = hashlib.sha256()

    def __enter__(self) -> Download:
        self._pace = Pace(self.rate)
        self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._process.kill()
        self._pace.lift()
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout and self._process.stderr
        last = time.monotonic()
        while data := os.read(self._process.stdout.fileno(), 1 << 16):
            now = time.monotonic()
            self.longest_gap_s = max(self.longest_gap_s, now - last)
            self._digest.update(data)
            self.received += len(data)
            self._pace.wait(self.received)
            last = time.monotonic()
        self.errors = self._process.stderr.read().decode()
        self._process.stdout.close()
        self._process.stderr.close()
        self.status = self._process.wait()

    def hurry(self) -> None:
        """What is left is read as fast as it comes."""
        self._pace.lift()

    def running(self) -> bool:
        return self._thread.is_alive()

    def wait(self, deadline: float) -> None:
        """Waits until it is complete or has failed."""
        self._thread.join(deadline)

    def right(self) -> bool:
        """Whether it ended and every byte was right."""
        wanted = (httpd_bytes.sha256(self.expected) if self.content is None
                  else hashlib.sha256(self.content).hexdigest())
        return (self.status == 0 and self.received == self.expected
                and self._digest.hexdigest() == wanted)
