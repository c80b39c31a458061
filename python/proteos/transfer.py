"""A long transfer by curl in the background, at a given pace."""

from __future__ import annotations

import subprocess
import threading
from typing import Any

from .pace import Pace


class Transfer:
    """Runs curl for as long as the `with` lasts; a subclass moves the bytes.

    rate   bytes per second, until hurry() is called; None: as fast as it goes"""

    stdin: int = subprocess.DEVNULL

    def __init__(self, command: list[str], rate: float | None):
        self.command = command
        self.rate = rate
        self.status: int | None = None  # curl's, once it has ended
        self.errors = ""

    def __enter__(self) -> Any:
        self._pace = Pace(self.rate)
        self._process = subprocess.Popen(self.command, stdin=self.stdin, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._process.kill()
        self._pace.lift()
        self._thread.join()

    def _move(self, process: subprocess.Popen[bytes]) -> None:
        """Moves all bytes; in a thread of its own."""
        raise NotImplementedError

    def _run(self) -> None:
        process = self._process
        assert process.stdout and process.stderr
        self._move(process)
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
        """Waits until it is complete or has failed."""
        self._thread.join(deadline)
