"""A console in a system of its own: keyboard, tty, puppets as applications and as the process
manager."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

from proteos import Manifest, System
from proteos.waiting import wait_for
from puppet import Puppet, Request, body
from streams import PROC_GET, PROC_KILL, PROC_SPAWN, PROC_WAIT, Terminal

ESRCH = 3


class ProcessManager:
    """What tty asks of the component pm, and answers for it."""

    def __init__(self) -> None:
        self.groups: dict[int, int] = {}  # by endpoint
        self.killed: list[tuple[int, int]] = []  # pid, signal
        self.spawned: list[Request] = []
        self.waits: list[Request] = []
        self.spawn_status = 0

    def handle(self, puppet: Puppet, request: Request) -> None:
        if request.type == PROC_GET:
            group = self.groups.get(request.fields("ii")[0], 0)
            puppet.reply(request, 0 if group else -ESRCH, body("iiiII", group, 1, group, 0, 0))
        elif request.type == PROC_KILL:
            self.killed.append(request.fields("ii"))  # type: ignore[arg-type]
            puppet.reply(request)
        elif request.type == PROC_SPAWN:
            self.spawned.append(request)
            puppet.reply(request, self.spawn_status, body("i", 40 + len(self.spawned)))
        elif request.type == PROC_WAIT:
            self.waits.append(request)

    def take_killed(self, *wanted: tuple[int, int]) -> None:
        """Waits for these signals, and that there are no others."""
        wait_for(lambda: len(self.killed) >= len(wanted), f"signals {wanted}")
        assert self.killed == list(wanted)
        self.killed.clear()


class Shown:
    """The test's end of the screen's wire, when it is a stream."""

    def __init__(self, wire: socket.socket):
        self.wire = wire
        self.bytes = b""
        self._lock = threading.Lock()  # of `bytes`
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            while chunk := self.wire.recv(65536):
                with self._lock:
                    self.bytes += chunk
        except OSError:
            return

    def take(self, wanted: bytes) -> None:
        """Waits for this, which comes next and is forgotten."""
        wait_for(lambda: len(self.bytes) >= len(wanted), f"{wanted!r} on the screen")
        with self._lock:
            assert self.bytes[:len(wanted)] == wanted
            self.bytes = self.bytes[len(wanted):]

    def attach(self, number: int = 1) -> None:
        self.wire.sendall(b"\x1b[>%dp" % number)
        self.take(b"\x1b[>%dp" % number)

    def detach(self) -> None:
        self.wire.sendall(b"\x1b[>0p")


class Console:
    """`wires`: "stream", the test is at their other ends, or "console"."""

    def __init__(self, tmp_path: Path, wires: str = "stream", program: str | None = None,
                 tty: dict[str, Any] = {}, **settings: Any):
        manifest = Manifest.empty()
        self.manager = ProcessManager()
        self.a, self.b = Puppet("a", tmp_path / "a"), Puppet("b", tmp_path / "b")
        self.pm = Puppet("pm", tmp_path / "pm", self.manager.handle)
        manifest.data["regions"] = [{"name": "kbd0.bar", "bytes": 4096,
                                     "share": ["kbd-model", "kbd"]}]
        manifest.data["wires"] = [{"name": "kbd0", "kind": wires, "to": "kbd-model"},
                                  {"name": "console", "kind": wires, "to": "tty"}]
        if wires == "console":
            manifest.data["wires"][1]["keyboard"] = "kbd0"
        manifest.add("kbd-model", args=["kbd0"])
        manifest.add("kbd", args=["kbd0"], calls=[{"to": "kbd-model"}])
        self.pm.declare(manifest, [])
        manifest.component("pm")["sends"] = ["tty"]
        manifest.add("tty", args=["kbd", "console", *([program] if program else [])],
                     calls=[{"to": "kbd"}, {"to": "pm"}], **tty)
        for user in (self.a, self.b):
            user.declare(manifest, ["tty"])
        self.numbers = {c["name"]: i + 1 for i, c in enumerate(manifest.data["components"])}
        manifest.data.update(settings)
        listeners = self._listeners(manifest, tmp_path) if wires == "stream" else []
        self.system = System(manifest)
        self.system.__enter__()
        for user in (self.a, self.b, self.pm):
            user.attach()
        if listeners:
            self.keys, screen = (listener.accept()[0] for listener in listeners)
            self.shown = Shown(screen)

    @staticmethod
    def _listeners(manifest: Manifest, tmp_path: Path) -> list[socket.socket]:
        listeners = []
        for wire in manifest.data["wires"][:2]:
            wire["path"] = str(tmp_path / wire["name"])
            listeners.append(socket.socket(socket.AF_UNIX))
            listeners[-1].bind(wire["path"])
            listeners[-1].listen(1)
        return listeners

    def close(self) -> None:
        self.system.__exit__(None, None, None)
        for user in (self.a, self.b, self.pm):
            user.close()

    def type(self, text: str | bytes) -> None:
        self.keys.sendall(text if isinstance(text, bytes) else text.encode())

    def open(self, user: Puppet) -> Terminal:
        return Terminal.open(user)

    def update(self, name: str) -> None:
        """To itself, with all its state moved."""
        self.system.prctl("update", name, "self", "-relocate", "-strict")
