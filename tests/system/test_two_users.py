"""Instances of two users keep out of each other's way. Needs root, to be two users."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from proteos import PATIENCE, System
from proteos.build import COMPONENTS, PRCTL
from proteos.control import pb

pytestmark = pytest.mark.root

OWNER, OTHER = 65533, 65534
CLOSED = 'instance "{}" belongs to another user: only its owner and root may use it'


def as_user(uid: int, base: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", PRCTL, *arguments],
        env={"PROTEOS_RUNTIME_DIR": str(base)}, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def folder_of(uid: int, path: Path) -> Path:
    """A folder of `uid` that everybody can reach."""
    path.mkdir()
    os.chown(path, uid, uid)
    for parent in [path, *path.parents]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o755)
    path.chmod(0o777)
    return path


@pytest.mark.parametrize("command", [["status"], ["shutdown"], ["mupdate-start"], ["boot"]])
def test_another_users_instance_is_closed(command):
    with System() as system:
        system.directory.chmod(0o755)
        status, output = as_user(OTHER, system.base, "--instance", system.name, *command)
        assert status != 0
        assert len(output.splitlines()) == 1 and "belongs to another user" in output
        assert all(c.state == "running" for c in system.status().values())


def open_to_all(system: System) -> None:
    """Takes away what the file system's permissions protect: the peer's credentials are left."""
    for path in (system.directory, system.runtime):
        path.chmod(0o755)
    system.socket.chmod(0o777)


@contextlib.contextmanager
def effective_user(uid: int) -> Iterator[None]:
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(scope="module")
def exposed() -> Iterator[System]:
    """An instance of root's whose socket anybody can connect to."""
    with System() as system:
        open_to_all(system)
        yield system


REQUESTS = [f.name for f in pb.ControlRequest.DESCRIPTOR.oneofs_by_name["request"].fields]


def example(request: str) -> pb.ControlRequest:
    """A request that would change something if it were heard."""
    message = pb.ControlRequest()
    getattr(message, request).SetInParent()
    if request == "kill":
        message.kill.component, message.kill.signal = "net", 9
    if request == "update":
        message.update.members.add(component="net", path="/bin/net.new")
    if request in ("start", "stop", "debug"):
        getattr(message, request).component = "net"
    if request == "fault":
        message.fault.command = pb.FaultRequest.CLEAR
    return message


@pytest.mark.parametrize("request_name", REQUESTS)
def test_no_request_of_another_user_is_heard(exposed, request_name):
    before = {name: (c.pid, c.updates) for name, c in exposed.status().items()}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(PATIENCE)
        with effective_user(OTHER), open(COMPONENTS / "net.new", "rb") as version:
            client.connect(str(exposed.socket))
            with contextlib.suppress(BrokenPipeError):
                socket.send_fds(client, [example(request_name).SerializeToString()],
                                [version.fileno()])
        reply = pb.ControlReply.FromString(client.recv(4096))
        assert reply.last and reply.status == -errno.EPERM
        assert reply.text == "only the owner of the instance and root may use it"
        assert client.recv(4096) == b""  # and no more of it is heard
    status = exposed.status()
    assert {name: (c.pid, c.updates) for name, c in status.items()} == before
    assert all(c.state == "running" for c in status.values())
    assert exposed.instance().state == "running"


@pytest.mark.parametrize("command", [
    ["update", "net", "/bin/net.new"], ["mupdate", "net", "/bin/net.new"], ["mupdate-start"],
    ["mupdate-cancel"], ["kill", "net"], ["shutdown"], ["status"], ["trace"], ["stop", "net"],
    ["start", "net"], ["reload"], ["top"], ["gdb", "net"], ["fault", "--clear"]])
def test_commands_of_another_user_say_why_not(exposed, command):
    status, output = as_user(OTHER, exposed.base, "--instance", exposed.name, *command)
    assert status == 1
    assert output == "prctl: " + CLOSED.format(exposed.name) + "\n"
    assert all(c.state == "running" for c in exposed.status().values())


def test_owner_and_root_may(tmp_path):
    base = folder_of(OWNER, tmp_path / "base")
    owner = ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups"]
    with System(prefix=owner, base=base) as system:
        open_to_all(system)
        system.update("net", "/bin/net.new")  # the owner
        system.prefix = []
        system.update("net", "/bin/net")  # root
        assert system.status()["net"].updates == 2
        status, output = as_user(OTHER, base, "--instance", system.name, "kill", "net")
        assert (status, output) == (1, "prctl: " + CLOSED.format(system.name) + "\n")
        assert system.status()["net"].restarts == 0


def test_no_boot_in_another_users_folder(tmp_path):
    """Its owner could put another control socket in the place of ours."""
    base = folder_of(OTHER, tmp_path / "base")
    status, output = as_user(OWNER, base, "boot")
    assert status == 1
    assert output == f"prctl: {base} belongs to another user\n"
    assert list(base.iterdir()) == []


def test_no_boot_through_another_users_link(tmp_path):
    base = folder_of(OWNER, tmp_path / "base")
    link = tmp_path / "link"
    link.symlink_to(base)
    os.lchown(link, OTHER, OTHER)
    status, output = as_user(OWNER, link, "boot")
    assert status == 1
    assert output == f"prctl: {link} belongs to another user\n"
    assert list(base.iterdir()) == []


def test_another_users_socket_is_not_talked_to(tmp_path):
    base = folder_of(OTHER, tmp_path / "base")
    directory = folder_of(OTHER, base / "default")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(str(directory / "control.sock"))
        os.chmod(directory / "control.sock", 0o777)
        os.seteuid(OTHER)  # what the peer sees is who listens
        try:
            server.listen()
        finally:
            os.seteuid(0)
        status, output = as_user(OWNER, base, "status")
        assert status == 1
        assert output == "prctl: " + CLOSED.format("default") + "\n"
        server.settimeout(PATIENCE)
        connection, _ = server.accept()
        with connection:
            assert connection.recv(100) == b""  # nothing was asked of it
