"""A whole machine: a disk, a console with a shell on it, and whatever programs it runs."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

from filing import check_image, make_image, storage_manifest
from proteos import PATIENCE, Manifest, System, wait_for

PROMPT = b"@> "
ENDED = re.compile(rb"<(\d+)>\r\n")


def machine_manifest(image: Path, net: bool = False, at_most: int = 16,
                     shell: str = "sh") -> Manifest:
    """Storage, pipes, processes and a console; with `net` the default system's network too."""
    manifest = storage_manifest(image, [], 8 << 20)
    servers = ["pm", "storage", "pipe", "tty"]
    if net:
        default = Manifest()
        manifest.data["regions"] += default.data["regions"]
        manifest.data["wires"] += default.data["wires"]
        manifest.data["wires"][-1]["open"] = True
        manifest.data["components"] += [c for c in default.data["components"]
                                        if c["name"] in ("e1000-model", "e1000", "net")]
        servers.append("net")
    manifest.data["regions"].append({"name": "kbd0.bar", "bytes": 4096,
                                     "share": ["kbd-model", "kbd"]})
    manifest.add("pipe")
    manifest.add("kbd-model", args=["kbd0"])
    manifest.add("kbd", args=["kbd0"], calls=[{"to": "kbd-model"}])
    handles = ["storage", "pipe", *(["net"] if net else [])]
    manifest.add("pm", kernel=["processes"], calls=[{"to": name} for name in handles], sends=["tty"])
    manifest.add("tty", args=["kbd", "console", shell], calls=[{"to": "kbd"}, {"to": "pm"}])
    manifest.data["programs"] = {"by": "pm", "at-most": at_most,
                                 "calls": [{"to": name} for name in servers]}
    return manifest


class Machine:
    """Its console is a person's: type() and expect(). run() gives the shell a command."""

    def __init__(self, folder: Path, files: Path | None = None, megabytes: int = 32,
                 net: bool = False, **settings: Any):
        """`files`: a directory whose content the file system begins with."""
        self.image = make_image(folder / "disk.img", megabytes, *(["-d", str(files)] if files else []))
        self.manifest = machine_manifest(self.image, net)
        self.manifest.data.update(settings)
        self.listeners = [self._listen(folder, *wire)
                          for wire in (("kbd0", "kbd-model"), ("console", "tty"))]
        self.system = System(self.manifest)
        self.seen = b""
        self._lock = threading.Lock()  # of `seen`

    def _listen(self, folder: Path, name: str, to: str) -> socket.socket:
        path = str(folder / f"{name}.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(PATIENCE)
        self.manifest.data["wires"].append({"name": name, "kind": "stream", "to": to, "path": path})
        return listener

    def __enter__(self) -> Machine:
        self.system.__enter__()
        try:
            self._attach()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _attach(self) -> None:
        self.keys, self.screen = (listener.accept()[0] for listener in self.listeners)
        self.screen.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.screen.sendall(b"\x1b[>1p")  # somebody looks at it
        self.expect(b"$ ")
        self.type("PS1='@> '\n")
        self.expect(b"\r\n" + PROMPT)

    def __exit__(self, *failure: Any) -> None:
        try:
            self.system.__exit__(*failure)
        finally:
            for sock in (self.keys, self.screen, *self.listeners):
                sock.close()

    def _read(self) -> None:
        try:
            while chunk := self.screen.recv(65536):
                with self._lock:
                    self.seen += chunk
        except OSError:
            return

    def type(self, text: str | bytes) -> None:
        self.keys.sendall(text.encode() if isinstance(text, str) else text)

    def expect(self, text: bytes | str, patience: float = PATIENCE) -> bytes:
        """That this is shown sometime. @return what came before it; both are forgotten"""
        wanted = text.encode() if isinstance(text, str) else text
        try:
            wait_for(lambda: wanted in self.seen, f"{wanted!r}", patience)
        except Exception as late:
            raise AssertionError(f"{wanted!r} is not in {self.seen[-2000:]!r}") from late
        with self._lock:
            before, _, self.seen = self.seen.partition(wanted)
        return before

    def run(self, command: str, patience: float = PATIENCE) -> tuple[int, str]:
        """Its status and what is shown, without the echo of what is typed here."""
        self.type(f"{command}; echo \"<$?>\"\n")
        self.expect(b"\r\n")
        shown = self.expect(b"\r\n" + PROMPT, patience) + b"\r\n"
        ends = list(ENDED.finditer(shown))
        assert ends, f"{command}: {shown!r}"
        return int(ends[-1][1]), shown[:ends[-1].start()].decode().replace("\r\n", "\n")

    def output(self, command: str, patience: float = PATIENCE) -> str:
        """What a command that succeeds prints."""
        status, shown = self.run(command, patience)
        assert status == 0, f"{command}: {status}: {shown}"
        return shown

    def end(self) -> None:
        """Shuts it down, and the file system is sound."""
        self.system.shutdown()
        check_image(self.image)


def made_with(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A directory with these files, by path."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def bash(command: str, folder: Path) -> tuple[int, str]:
    """What the host's shell makes of it."""
    done = subprocess.run(["bash", "-c", command], cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with FILES of the test's module."""
    return made_with(tmp_path_factory.mktemp("host") / "files", request.module.FILES)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Iterator[Machine]:
    with Machine(tmp_path_factory.mktemp("machine"), files) as running:
        yield running
