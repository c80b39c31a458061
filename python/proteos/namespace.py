"""A user and network namespace with a TAP device in it, without privileges."""

from __future__ import annotations

import subprocess
from typing import Any

from .errors import ProteosError
from .waiting import PATIENCE

SETUP = """
ip link set lo up &&
ip tuntap add dev {device} mode tap &&
ip address add {address} dev {device} &&
ip link set {device} up &&
echo ready && exec cat
"""


class Unavailable(ProteosError):
    """This machine cannot make one; the message says why."""


class TapNamespace:
    """Exists for as long as the `with` lasts. `prefix` runs a command inside, with a capability only
    over the namespace."""

    def __init__(self, device: str = "tap0", address: str = "10.0.2.2/24"):
        self.device = device
        self.script = SETUP.format(device=device, address=address)

    def __enter__(self) -> TapNamespace:
        # The holder of the namespaces ends when its input does, so none can outlive us.
        self._holder = subprocess.Popen(
            ["unshare", "--user", "--net", "--map-root-user", "sh", "-c", self.script], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._holder.stdout
        if self._holder.stdout.readline() != "ready\n":
            raise Unavailable("no TAP device in a namespace: "
                              + self._holder.communicate()[1].strip())
        self.prefix = ["nsenter", f"--target={self._holder.pid}", "--user", "--net",
                       "--preserve-credentials"]
        return self

    def __exit__(self, *exception: Any) -> None:
        self._holder.communicate()

    def run(self, *command: str, deadline: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Runs a command inside; its exit status and both outputs."""
        return subprocess.run([*self.prefix, *command], text=True, timeout=deadline,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
