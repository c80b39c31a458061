"""A long download by curl, watched: its digest, and the longest time without bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from typing import Any

from . import bytes as httpd_bytes


class Download:
    """Downloads /bytes/N of a server in the background for as long as the `with` lasts."""

    def __init__(self, url: str, n: int, prefix: list[str] | None = None,
                 limit_rate: str | None = None):
        limit = ["--limit-rate", limit_rate] if limit_rate else []
        self.command = [*(prefix or []), "curl", "--silent", "--show-error", "--no-buffer",
                        *limit, f"{url.rstrip('/')}/bytes/{n}"]
        self.expected = n
        self.received = 0
        self.longest_gap_s = 0.0
        self.status: int | None = None
        self.errors = ""
        self._digest = hashlib.sha256()

    def __enter__(self) -> Download:
        self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._process.kill()
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout and self._process.stderr
        last = time.monotonic()
        while data := os.read(self._process.stdout.fileno(), 1 << 16):
            now = time.monotonic()
            self.longest_gap_s = max(self.longest_gap_s, now - last)
            last = now
            self._digest.update(data)
            self.received += len(data)
        self.errors = self._process.stderr.read().decode()
        self._process.stdout.close()
        self._process.stderr.close()
        self.status = self._process.wait()

    def running(self) -> bool:
        return self._thread.is_alive()

    def wait(self, deadline: float) -> None:
        """Waits until it is complete or has failed."""
        self._thread.join(deadline)

    def right(self) -> bool:
        """Whether it ended and every byte was right."""
        return (self.status == 0 and self.received == self.expected
                and self._digest.hexdigest() == httpd_bytes.sha256(self.expected))
