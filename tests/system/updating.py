"""Updates as tests see them: how they end, where they are, and what of them is on record."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from proteos import PATIENCE, System, process
from proteos.control import REPLY_MAX_BYTES, pb

REFUSED, ROLLED_BACK, ABANDONED = 1, 3, 4  # exit statuses of prctl
DONE = "UM: Live update done."

Held = tuple[set[int], dict[str, int], list[int]]


@contextmanager
def asked(system: System, **request: Any) -> Iterator[Callable[[], Any]]:
    """A request that has been sent, heard or not; what is yielded waits for its last reply."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(PATIENCE)
        client.connect(str(system.socket))
        client.send(pb.ControlRequest(**request).SerializeToString())

        def answer() -> Any:
            reply = pb.ControlReply()
            while not reply.last:
                reply.MergeFrom(pb.ControlReply.FromString(client.recv(REPLY_MAX_BYTES)))
            return reply

        yield answer


def patience(version: str) -> list[str]:
    """Options for an update to a new version of that name: one that hangs need not be waited for
    as long as one that works."""
    return ["-timeout", "transfer=5000"] if version == "hang" else []


def newcomer(system: System, before: set[int]) -> int:
    """The process of a new version, one that was not there before; 0 as long as there is none."""
    for pid, command in system.processes().items():
        # One in the middle of the loader's fork is the loader's image still.
        if pid not in before and command and "loader" not in command:
            return pid
    return 0


def wait_for_line(prctl: subprocess.Popen[str], text: str) -> None:
    """Reads what a running prctl prints up to a line with this in it. One that does not print it in
    time is killed."""
    assert prctl.stdout is not None
    end = threading.Timer(PATIENCE, prctl.kill)
    end.start()
    try:
        while text not in (line := prctl.stdout.readline()):
            assert line, f"prctl has ended without a line with '{text}'"
    finally:
        end.cancel()


@contextmanager
def traced_um(system: System) -> Iterator[subprocess.Popen[str]]:
    """A prctl trace of um, from when it shows what comes."""
    trace = system.start_prctl("trace", "-e", "um")

    def shows() -> bool:
        system.try_prctl("mupdate-cancel")
        return bool(select.select([trace.stdout], [], [], 0)[0])

    try:
        system.wait(shows, "the trace to show something")
        yield trace
    finally:
        trace.kill()
        trace.communicate()


@contextmanager
def converging(system: System, component: str, version: str, filter: str) -> Iterator[None]:
    """An update of the component converges meanwhile; `filter` never comes true, and in the end the
    update is called off."""
    prctl = system.start_prctl("update", component, version, "-state", filter, "-timeout", "3600000")
    try:
        system.wait(lambda: system.status()[component].state == "converging", "the convergence")
        yield
    finally:
        prctl.kill()
        prctl.communicate()
    system.wait(lambda: system.status()[component].state == "running", "the end of the update")


def held(system: System) -> Held:
    """Processes of the instance; descriptors by component, and of the loader and busd."""
    instance = system.instance()
    return (set(system.processes()),
            {name: c.descriptors for name, c in system.status().items()},
            [_descriptors(pid) for pid in (instance.loader_pid, instance.busd_pid)])


def _descriptors(pid: int) -> int:
    """0 where this user may not look: busd and the loader are not dumpable."""
    try:
        return process.descriptors(pid)
    except OSError:
        return 0


def _leaving(system: System) -> list[int]:
    """Processes of components that serve no more, but have not ended yet."""
    status = system.status()
    live = {c.pid for c in status.values()}
    return [pid for pid, command in system.processes().items()
            if pid not in live and (not command or command.split()[0] in status)]


def settled(system: System) -> Held:
    """What is held once nothing comes and goes any more."""
    return system.wait(lambda: not _leaving(system) and (now := held(system)) == held(system) and
                       now, "peace")


def wait_until_held(system: System, before: Held) -> None:
    """Waits until nothing is left of an update that changed nothing."""
    system.wait(lambda: held(system) == before, f"{before}, as before the update")


def history(system: System, *arguments: str) -> list[dict[str, Any]]:
    """The journal's records."""
    return [json.loads(line) for line in
            system.prctl("history", *arguments, "--json").splitlines()]
