"""The instance's clocks, stopped as `prctl gdb` stops them."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import Iterator

from proteos import PATIENCE, System
from proteos.control import REPLY_MAX_BYTES, pb


@contextmanager
def stopped(system: System, component: str) -> Iterator[None]:
    """No deadline passes and nothing is restarted in the body, as if `component` were debugged."""
    request = pb.ControlRequest(debug=pb.DebugRequest(component=component))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(str(system.socket))
        sock.send(request.SerializeToString())
        reply = pb.ControlReply.FromString(sock.recv(REPLY_MAX_BYTES))
        assert reply.status == 0, reply.text
        yield
