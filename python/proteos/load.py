"""The load client: keeps connections busy, checks every byte, and measures gaps and latencies."""

from __future__ import annotations

import json
import subprocess
import tempfile
from typing import Any
from urllib.parse import urlsplit

from .build import LOAD
from .errors import ProteosError
from .waiting import PATIENCE, wait_for

Figures = dict[str, int]


class Load:
    """Runs bench/load against a URL for as long as the `with` lasts.

    connections, request_bytes, pause_us   keep-alive connections, what each asks for, and how long
                                           it pauses between an answer and the next request
    streams, stream_bytes, stream_buffer   connections that download without a pause; their receive
                                           buffer, 0 for the kernel's choice
    timeout_ms                             a connection without a byte for so long has failed
    prefix                                 a command to run it under
    """

    def __init__(self, url: str, connections: int = 4, request_bytes: int = 1000,
                 pause_us: int = 0, streams: int = 1, stream_bytes: int = 100_000_000,
                 stream_buffer: int = 0, timeout_ms: int = 60_000, prefix: list[str] | None = None):
        parts = urlsplit(url)
        self.command = [*(prefix or []), str(LOAD),
                        "-c", str(connections), "-n", str(request_bytes), "-i", str(pause_us),
                        "-s", str(streams), "-m", str(stream_bytes), "-b", str(stream_buffer),
                        "-t", str(timeout_ms),
                        str(parts.hostname), str(parts.port or 80)]
        self._expected = ["requests"] * (connections > 0) + ["streamed"] * (streams > 0)
        self._result: Figures | None = None

    def __enter__(self) -> Load:
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(self.command, text=True, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._errors)
        return self

    @property
    def pid(self) -> int:
        """Of the client, or of the prefix that becomes it."""
        return self._process.pid

    def __exit__(self, *exception: Any) -> None:
        if self._result is None:
            self._process.kill()
            self._process.communicate()
        self._errors.close()

    def mark(self) -> Figures:
        """Figures since the last mark."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("mark\n")
        self._process.stdin.flush()
        return self._parse(self._process.stdout.readline())

    def finish(self) -> Figures:
        """Ends the load; figures of the whole run."""
        if self._result is None:
            output, _ = self._process.communicate()
            self._result = self._parse(output)
        return self._result

    def wait_until_busy(self, deadline: float = PATIENCE) -> list[Figures]:
        """Waits until requests are answered and bytes flow; the marks made meanwhile."""
        marks: list[Figures] = []

        def busy() -> bool:
            marks.append(self.mark())
            return all(marks[-1][key] > 0 for key in self._expected)

        wait_for(busy, "the load to be answered", deadline)
        return marks

    def errors(self) -> str:
        """What failed so far, a line each."""
        self._errors.seek(0)
        return self._errors.read()

    def _parse(self, line: str) -> Figures:
        if not line:
            raise ProteosError("the load client ended: " + self.errors())
        return json.loads(line)
