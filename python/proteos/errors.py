"""What can go wrong, as exceptions."""

from __future__ import annotations


class ProteosError(Exception):
    """Base of this package's exceptions."""


class Timeout(ProteosError):
    """A condition did not come true before its deadline."""


class CommandFailed(ProteosError):
    """prctl ended with a non-zero exit status."""

    def __init__(self, args: list[str], status: int, output: str):
        self.status = status
        self.output = output
        super().__init__(f"prctl {' '.join(args)}: exit status {status}\n{output}")
