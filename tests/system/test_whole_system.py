"""The default system as a whole: files through the network, a shell on the console, and updates of
everything below them that move all of its state."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.request
from pathlib import Path
from typing import Iterator

import pytest

from proteos import Manifest, System
from proteos.build import BUILD, SOURCE
from proteos.console import Console
from proteos.load import Load


@contextlib.contextmanager
def whole_system(folder: Path, *storage_options: str) -> Iterator[System]:
    disk = folder / "disk.img"
    subprocess.run(["cp", "--sparse=always", BUILD / "disk.img", disk], check=True)
    manifest = Manifest.whole(disk)
    if storage_options:
        manifest.component("storage")["args"] = ["disk0", "nvme", *storage_options]
    manifest.data["timeouts_ms"]["stop"] = 60_000
    manifest.component("mm").setdefault("args", []).append("patience=60000")
    with System(manifest) as running:
        yield running
    assert subprocess.run(["e2fsck", "-fn", disk], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[System]:
    with whole_system(tmp_path) as running:
        yield running


def test_serves_the_disks_files(whole: System):
    with urllib.request.urlopen(whole.url("/")) as page:
        assert page.read() == (SOURCE / "disk/www/index.html").read_bytes()


def test_console_has_a_shell(whole: System):
    with Console(whole) as console:
        console.expect("$ ")
        console.type("cat /etc/motd | wc -l; wget -q -O - http://10.0.2.15/ | grep -c works\r")
        console.expect("\n2\r\n1\r\n")


def test_files_through_lent_memory(whole: System):
    """Storage has the grant mapped, before and after an update that moves all else."""
    with Console(whole) as console:
        console.expect("$ ")
        for _ in range(2):
            console.type("posix lent; posix lent\r")
            console.expect("\nall hold\r\nall hold\r\n")
            whole.prctl("update", "storage", "self", "-relocate", "-strict")
            whole.prctl("update", "mm", "self", "-relocate", "-strict")


@pytest.mark.parametrize("options", [(), ("cache=160",)], ids=["cached", "from the disk"])
def test_lists_of_pieces(tmp_path: Path, options: tuple[str, ...]):
    """The small cache has no room for the file, nor for a whole list."""
    with whole_system(tmp_path, *options) as system, Console(system) as console:
        console.expect("$ ")
        console.type("posix lists\r")
        console.expect("\nall hold\r\n")


def test_everything_moves_while_it_is_used(whole: System):
    """First each by itself, then all at once: um and busd, too."""
    names = [*(name for name in whole.status() if not name.startswith("program-")), "busd"]
    with Load(whole.url()) as load, Console(whole) as console:
        console.expect("$ ")
        console.type("cat\r")
        console.expect("cat\r\n")
        for name in names:
            whole.prctl("update", name, "self", "-relocate", "-strict")
            console.type(f"after {name}\r")
            console.expect(f"after {name}\r\nafter {name}\r\n")
        for name in names:
            whole.prctl("mupdate", name, "self", "-relocate", "-strict")
        whole.mupdate_start()
        console.type("after all\r")
        console.expect("after all\r\nafter all\r\n")
        load.mark()
        load.wait_until_busy()
        figures = load.finish()
    assert figures["failed"] == 0, figures
    after = whole.status()
    assert {(after[name].updates, after[name].restarts) for name in names[:-1]} == {(2, 0)}
    assert whole.instance().busd_updates == 2
