"""A long download by curl, watched: its digest, and the longest time without bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time

from . import bytes as httpd_bytes
from .transfer import Transfer


class Download(Transfer):
    """Downloads /bytes/N of a server, or a file of `content`, in the background for as long as the
    `with` lasts.

    path, content   the file, and what is in it; its length counts instead of `n`"""

    def __init__(self, url: str, n: int = 0, prefix: list[str] | None = None,
                 limit_rate: str | None = None, path: str = "", content: bytes = b"",
                 rate: float | None = None):
        limit = ["--limit-rate", limit_rate] if limit_rate else []
        super().__init__([*(prefix or []), "curl", "--silent", "--show-error", "--no-buffer",
                          *limit, f"{url.rstrip('/')}{path or f'/bytes/{n}'}"], rate)
        self.expected = len(content) if path else n
        self.content = content if path else None
        self.received = 0
        self.longest_gap_s = 0.0
        self._digest = hashlib.sha256()

    def _move(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        last = time.monotonic()
        while data := os.read(process.stdout.fileno(), 1 << 16):
            now = time.monotonic()
            self.longest_gap_s = max(self.longest_gap_s, now - last)
            self._digest.update(data)
            self.received += len(data)
            self._pace.wait(self.received)
            last = time.monotonic()

    def right(self) -> bool:
        """Whether it ended and every byte was right."""
        wanted = (httpd_bytes.sha256(self.expected) if self.content is None
                  else hashlib.sha256(self.content).hexdigest())
        return (self.status == 0 and self.received == self.expected
                and self._digest.hexdigest() == wanted)
