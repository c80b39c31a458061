"""prctl console in a terminal of its own, and somebody who types there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from typing import Any

from .errors import Timeout
from .system import System
from .waiting import PATIENCE, wait_for

LEAVE = "\x1d"  # Ctrl-]


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


class Console:
    """The console of a system, for as long as the `with` lasts.

    name           of the wire, where there are several consoles
    rows, columns  of the terminal at first
    process        prctl, as subprocess has it
    terminal       a descriptor of the terminal that prctl has, open even when that has ended
    modes          those of the terminal before"""

    process: subprocess.Popen[bytes]
    terminal: int
    modes: list[Any]

    def __init__(self, system: System, name: str | None = None, rows: int = 24, columns: int = 80):
        self.system = system
        self.arguments = ["console", *([name] if name else [])]
        self.size = rows, columns
        self.seen = b""

    def __enter__(self) -> Console:
        self._master, self.terminal = pty.openpty()
        self.resize(*self.size)
        self.modes = termios.tcgetattr(self.terminal)
        self.process = subprocess.Popen(self.system.prctl_command(*self.arguments),
                                        env=self.system.environment(), stdin=self.terminal,
                                        stdout=self.terminal, stderr=self.terminal,
                                        start_new_session=True)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self.process.poll() is None:
            self.process.kill()  # it may be stopped
        self.process.wait()
        os.close(self.terminal)
        os.close(self._master)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str | bytes) -> None:
        os.write(self._master, _bytes(text))

    def _read(self) -> None:
        while select.select([self._master], [], [], 0)[0]:
            self.seen += os.read(self._master, 65536)

    def expect(self, text: str | bytes, deadline: float = PATIENCE) -> str:
        """Waits until this is shown. @return what came before it; both are forgotten"""
        wanted = _bytes(text)

        def shown() -> bool:
            self._read()
            return wanted in self.seen

        try:
            wait_for(shown, f"{text!r} on the console", deadline)
        except Timeout as late:
            raise Timeout(f"{late}; it shows {self.seen[-500:]!r}") from None
        before, _, self.seen = self.seen.partition(wanted)
        return before.decode(errors="replace")

    def wait(self, deadline: float = PATIENCE) -> int:
        """Waits until prctl has ended, and takes what it shows until then. @return its exit status"""
        def ended() -> bool:
            self._read()
            return self.process.poll() is not None

        wait_for(ended, "the end of prctl console", deadline)
        return self.process.returncode

    def is_restored(self) -> bool:
        """Whether the terminal is as it was before."""
        return termios.tcgetattr(self.terminal) == self.modes
