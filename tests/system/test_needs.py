"""What versions say that they need of the manifest, at boot and when an update is requested."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest

import booting
from proteos import Manifest, System
from proteos.build import COMPONENTS


def manifest_with(**settings: Any) -> Manifest:
    region = {"name": "extra", "bytes": 4096, "share": settings.pop("share", [])}
    manifest = Manifest.empty(regions=[region]).add("other", "peer")
    return manifest.add("counter", **settings)


def declare(path: Path, needs: bytes, source: str = "counter.new") -> Path:
    """A version of the counter that says that it needs all this."""
    section = path.parent / "needs"
    section.write_bytes(needs)
    shutil.copy(COMPONENTS / source, path)
    subprocess.run(["objcopy", "--add-section", f"proteos.needs={section}", path], check=True)
    return path


def needs_of(*pairs: tuple[str, str]) -> bytes:
    return b"".join(f"{kind}\0{name}\0".encode() for kind, name in pairs)


@pytest.fixture(scope="module")
def bare() -> Iterator[System]:
    """A counter that is given nothing."""
    with System(manifest_with()) as system:
        yield system


def refusal(system: System, command: str, path: Path) -> str:
    before = {name: (c.pid, c.updates) for name, c in system.status().items()}
    processes = set(system.processes())
    done = system.try_prctl(command, "counter", str(path))
    assert done.returncode == 1
    assert set(system.processes()) == processes
    assert {name: (c.pid, c.updates) for name, c in system.status().items()} == before
    prefix, end = f"UM: Live update of counter refused: {path}", ".\n"
    assert done.stdout.startswith(prefix) and done.stdout.endswith(end), done.stdout
    assert done.stdout.count("\n") == 1
    return done.stdout[len(prefix):-len(end)]


GIVEN = [
    (("call", "other"), "`calls: [{to: other}]`", {"calls": [{"to": "other"}]}),
    (("send", "other"), "`sends: [other]`", {"sends": ["other"]}),
    (("send", "other"), "`sends: [other]`", {"calls": [{"to": "other"}]}),
    (("syscall", "flock"), "`syscalls: [flock]`", {"syscalls": ["flock"]}),
    (("region", "extra"), "to share region extra", {"share": ["counter"]}),
    (("region", "${2:-extra}"), "to share region extra", {"share": ["counter"], "args": ["a"]}),
    (("region", "${1}ra"), "to share region ra", {"share": ["counter"], "args": ["ext"]}),
]


@pytest.mark.parametrize("command", ["update", "mupdate"])
@pytest.mark.parametrize("need, words, _", GIVEN)
def test_update_is_refused_when_the_manifest_lacks_what_the_version_needs(bare, tmp_path, command, need, words, _):
    path = declare(tmp_path / "counter.new", needs_of(need))
    assert refusal(bare, command, path) == f" needs {words}, which the manifest does not give it"


@pytest.mark.parametrize("need, _, settings", GIVEN)
def test_update_succeeds_when_the_manifest_gives_what_the_version_needs(tmp_path, need, _, settings):
    path = declare(tmp_path / "counter.new", needs_of(need))
    with System(manifest_with(**settings)) as system:
        system.update("counter", path)
        assert system.status()["counter"].updates == 1


def test_refused_update_names_every_need_that_is_missing(bare, tmp_path):
    path = declare(tmp_path / "counter.new",
                   needs_of(("kernel", "update"), ("call", "other"), ("fly", "high")))
    assert refusal(bare, "update", path) == " needs `kernel: [update]`, `calls: [{to: other}]`, " \
        "'fly high', which this system does not know, which the manifest does not give it"


@pytest.mark.parametrize("needs", [
    b"call\0", b"call\0other", b"call", b"\0", b"region\0${0}\0", b"region\0${1\0",
    b"region\0${1:x}\0", b"region\0${}\0", b"region\0" + b"r" * 300 + b"\0",
    needs_of(("call", "other")) * 1000])
def test_update_is_refused_when_the_needs_cannot_be_read(bare, tmp_path, needs):
    path = declare(tmp_path / "counter.new", needs)
    assert refusal(bare, "update", path) == \
        ": what it needs cannot be read from it (section proteos.needs)"


def test_rights_come_from_the_manifest_and_not_from_needs(tmp_path):
    """The endpoint's rights are the manifest's, whatever a version says or leaves out."""
    with System(Manifest.empty().add("forbidden")) as system:
        system.wait(lambda: "forbidden: done" in system.log("forbidden"), "its attempts")
        assert "forbidden: late send: EPERM" in system.log("forbidden")
        assert "forbidden: late socket: EPERM" in system.log("forbidden")


# ---- boot ----

def without_calls(manifest: Manifest) -> None:
    del manifest.component("httpd")["calls"]


def other_driver(manifest: Manifest) -> None:
    manifest.component("net")["args"].append("e1000.2")


def other_card(manifest: Manifest) -> None:
    manifest.component("e1000")["args"] = ["nic1"]


def no_share(manifest: Manifest) -> None:
    manifest.data["regions"][1]["share"] = ["e1000"]


def no_right(manifest: Manifest) -> None:
    del manifest.component("um")["kernel"]


@pytest.mark.parametrize("change, says", [
    (without_calls, "httpd needs `calls: [{to: net}]`"),
    (other_driver, "net needs `calls: [{to: e1000.2}]`"),
    (other_card, "e1000 needs to share region nic1.bar, to share region nic1.rings, "
                 "to share region nic1.frames"),
    (no_share, "e1000-model needs to share region nic0.rings"),
    (no_right, "um needs `kernel: [update]`")])
def test_boot_is_refused_when_the_manifest_lacks_what_a_version_needs(manifest, change, says):
    change(manifest)
    line = re.fullmatch(r"prctl: .*/system.yaml: line \d+: (.*)\n", booting.refused(manifest))
    assert line and line[1] == f"{says}, which the manifest does not give it"
