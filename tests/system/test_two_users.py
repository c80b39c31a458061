"""Instances of two users keep out of each other's way. Needs root, to be two users."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from proteos import System
from proteos.build import PRCTL

pytestmark = pytest.mark.root

OWNER, OTHER = 65533, 65534


def as_user(uid: int, base: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", PRCTL, *arguments],
        env={"PROTEOS_RUNTIME_DIR": str(base)}, text=True, timeout=10, stdin=subprocess.DEVNULL,
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
        assert len(output.splitlines()) == 1 and "another user" in output
        assert all(c.state == "running" for c in system.status().values())


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
        assert output == 'prctl: instance "default" belongs to another user\n'
        server.settimeout(1)
        connection, _ = server.accept()
        with connection:
            assert connection.recv(100) == b""  # nothing was asked of it
