"""How much the metadata of an update adds to an executable."""

from __future__ import annotations

import subprocess
from pathlib import Path

from proteos.build import COMPONENTS
from result import result

SERVERS = ("net", "um", "httpd", "e1000")
SECTION = ".st_meta"


def _lines(*command: str) -> list[list[str]]:
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split() for line in text.splitlines()]


def metadata_bytes(executable: Path) -> int:
    return next(int(line[1]) for line in _lines("size", "-A", str(executable))
                if line[:1] == [SECTION])


def text_bytes(executable: Path) -> int:
    """What size(1) calls text: code and constants."""
    return int(_lines("size", str(executable))[1][0])


def code_bytes(executable: Path) -> int:
    return next(int(line[1]) for line in _lines("size", "-A", str(executable))
                if line[:1] == [".text"])


def measure() -> list[dict]:
    details = {}
    for name in SERVERS:
        path = COMPONENTS / name
        details[name] = (f"{metadata_bytes(path)} bytes; text {text_bytes(path)}, "
                         f"of it code {code_bytes(path)}")
    net = COMPONENTS / "net"
    return [result("metadata_over_text", metadata_bytes(net), "bytes", "text of net",
                   text_bytes(net), **details)]
