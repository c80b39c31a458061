"""Waiting for conditions, never for time."""

from __future__ import annotations

import os
import time
from typing import Callable, TypeVar

from .errors import Timeout

T = TypeVar("T")
# Seconds: ends what hangs, and not what stands still on a busy machine.
PATIENCE = float(os.environ.get("PROTEOS_PATIENCE", 600))


def wait_for(condition: Callable[[], T], what: str, deadline: float = PATIENCE) -> T:
    """Asks `condition` again and again until it gives something true, which is returned.

    Raises Timeout, naming `what`, after `deadline` seconds."""
    end = time.monotonic() + deadline
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"waited {deadline:g} s for {what}")
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
