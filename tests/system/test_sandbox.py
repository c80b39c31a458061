"""What a component must not do, tried by one that does nothing else."""

from __future__ import annotations

import os

import pytest

from proteos import Manifest, System

FORBIDDEN = ["open-write", "open-foreign", "socket", "fork", "ptrace", "parent-memory-file",
             "parent-memory-call", "kill-parent", "exec", "chmod"]
ON_THE_BUS = ["send", "notify", "raw-send"]


@pytest.fixture
def log() -> str:
    with System(Manifest.empty().add("forbidden")) as system:
        system.wait(lambda: "forbidden: done" in system.log("forbidden"), "its attempts")
        return system.log("forbidden")


def test_update_manager_cannot_be_read():
    """A non-dumpable process's memory belongs to root, whoever runs it."""
    with System(Manifest.empty()) as system:
        assert os.stat(f"/proc/{system.status()['um'].pid}/mem").st_uid == 0
        assert os.stat(f"/proc/{system.instance().loader_pid}/mem").st_uid == 0


def results(log: str, when: str) -> dict[str, str]:
    marker = f"forbidden: {when} "
    pairs = [line.split(marker, 1)[1].split(": ") for line in log.splitlines() if marker in line]
    return {what: error for what, error in pairs}


def test_loader_confines_from_the_first_instruction(log):
    found = results(log, "early")
    assert sorted(found) == sorted(FORBIDDEN), log
    assert "allowed" not in found.values(), found


def test_libsys_closes_the_rest(log):
    found = results(log, "late")
    assert sorted(found) == sorted(FORBIDDEN + ON_THE_BUS), log
    assert set(found.values()) == {"EPERM"}, found


def test_each_refusal_is_named_once(log):
    for name in ("openat", "socket", "fork", "ptrace", "process_vm_readv", "execve"):
        assert log.count(f"system call {name} (") == 1, log


def test_manifest_may_add_a_system_call():
    manifest = Manifest.empty().add("forbidden", args=["open-foreign"], syscalls=["openat"])
    with System(manifest) as system:
        system.wait(lambda: "forbidden: done" in system.log("forbidden"), "its attempts")
        # The tight filter lets it pass; the loader's confinement holds nevertheless.
        assert results(system.log("forbidden"), "late")["open-foreign"] == "EACCES"


def test_manifest_may_ask_what_is_missing():
    manifest = Manifest.empty().add("forbidden", args=["open-foreign"],
                                    **{"trace-syscalls": True})
    with System(manifest) as system:
        system.wait(lambda: "forbidden: done" in system.log("forbidden"), "its attempts")
        assert "system call openat (257) is not in the sandbox's list; carried out" in \
            system.log("forbidden")
