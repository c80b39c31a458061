"""A stream at a given pace, which can be lifted: so that a transfer lasts as long as it is needed."""

from __future__ import annotations

import threading
import time


class Pace:
    """@param rate  bytes per second; None: as fast as it goes"""

    def __init__(self, rate: float | None):
        self._rate = rate
        self._begun = time.monotonic()
        self._lifted = threading.Event()
        if rate is None:
            self.lift()

    def lift(self) -> None:
        """As fast as it goes from now on."""
        self._lifted.set()

    def wait(self, moved: int) -> None:
        """Waits until so many bytes may have been moved."""
        if self._rate and not self._lifted.is_set():
            self._lifted.wait(max(0.0, self._begun + moved / self._rate - time.monotonic()))
