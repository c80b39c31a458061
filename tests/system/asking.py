"""Questions of prctl's that are passed on to a server, put while it does not answer."""

from __future__ import annotations

import signal
import socket
from typing import Any

from proteos import PATIENCE, System
from proteos.control import pb


class Question:
    """The server has it in its queue once this is made."""

    def __init__(self, system: System, **request: Any):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(str(system.socket))
        self._socket.send(pb.ControlRequest(**request).SerializeToString())
        for _ in range(2):  # busd has read it before it answers what came a turn later
            system.status()

    def answer(self) -> pb.ControlReply:
        with self._socket:
            return pb.ControlReply.FromString(self._socket.recv(1 << 20))


def dies_while_it_is_asked(system: System, server: str, **request: Any) -> None:
    """Whoever waits for its answer is told so."""
    system.suspend(server)
    question = Question(system, **request)
    system.kill(server, signal.SIGKILL)
    assert question.answer().text == f"{server} has died before it answered"
