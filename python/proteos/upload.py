"""A long upload by curl, fed at a given pace: its answer comes when the server has it on the disk."""

from __future__ import annotations

import subprocess
import threading
from typing import Any

from .pace import Pace

PIECE = 1 << 16


class Upload:
    """Sends `data` by PUT in the background for as long as the `with` lasts.

    rate   bytes per second, until hurry() is called; None: as fast as it goes"""

    def __init__(self, url: str, data: bytes, rate: float | None = None):
        self.command = ["curl", "--silent", "--show-error", "--output", "-", "--write-out",
                        "%{http_code}", "--header", f"Content-Length: {len(data)}",
                        "--header", "Transfer-Encoding:", "--header", "Expect:",
                        "--upload-file", "-", url]
        self.data = data
        self.sent = 0
        self.rate = rate
        self.status: int | None = None
        self.answer = self.errors = ""

    def __enter__(self) -> Upload:
        self._pace = Pace(self.rate)
        self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._thread = threading.Thread(target=self._feed)
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._process.kill()
        self._pace.lift()
        self._thread.join()

    def _feed(self) -> None:
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        try:
            while self.sent < len(self.data):
                process.stdin.write(self.data[self.sent:self.sent + PIECE])
                process.stdin.flush()
                self.sent = min(self.sent + PIECE, len(self.data))
                self._pace.wait(self.sent)
            process.stdin.close()
        except BrokenPipeError:
            pass  # curl has ended, and says why
        self.answer = process.stdout.read().decode(errors="replace")
        self.errors = process.stderr.read().decode(errors="replace")
        process.stdout.close()
        process.stderr.close()
        self.status = process.wait()

    def hurry(self) -> None:
        """What is left goes as fast as it can."""
        self._pace.lift()

    def running(self) -> bool:
        return self._thread.is_alive()

    def wait(self, deadline: float) -> None:
        """Waits until it is answered or has failed."""
        self._thread.join(deadline)

    def kept(self) -> bool:
        """Whether the server has said that it has all of it, on the disk."""
        return self.status == 0 and self.answer.endswith("201")
