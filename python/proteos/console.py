"""prctl console in a terminal of its own, and somebody who types there."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from typing import Any

from .errors import Timeout
from .system import System
from .waiting import PATIENCE, wait_for

LEAVE = b"\x1d"  # Ctrl-]


class Console:
    """The console of a system, for as long as the `with` lasts.

    name   of the wire, where there are several consoles"""

    def __init__(self, system: System, name: str | None = None):
        self.system = system
        self.arguments = ["console", *([name] if name else [])]
        self.seen = b""

    def __enter__(self) -> Console:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(self.system.prctl_command(*self.arguments),
                                         env=self.system.environment(), stdin=slave, stdout=slave,
                                         stderr=slave, start_new_session=True)
        os.close(slave)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        os.close(self._master)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def _read(self) -> None:
        while select.select([self._master], [], [], 0)[0]:
            try:
                self.seen += os.read(self._master, 65536)
            except OSError:  # prctl has ended
                return

    def expect(self, text: str, deadline: float = PATIENCE) -> str:
        """Waits until this is shown. @return what came before it; both are forgotten"""
        wanted = text.encode()

        def shown() -> bool:
            self._read()
            return wanted in self.seen

        try:
            wait_for(shown, f"{text!r} on the console", deadline)
        except Timeout as late:
            raise Timeout(f"{late}; it shows {self.seen[-500:]!r}") from None
        before, _, self.seen = self.seen.partition(wanted)
        return before.decode(errors="replace")
