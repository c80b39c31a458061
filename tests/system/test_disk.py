"""A disk: the NVMe device model, its driver, and a client that checks every block (the scribe), over
updates, crashes, power cuts and failures of the device."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

import booting
from proteos import Manifest, System

MEDIUM_BYTES = 8 << 20
REPORT = re.compile(r"operations (\d+) wrong (\d+) failed (\d+) losses (\d+) restarts (\d+)")
FIELDS = ("operations", "wrong", "failed", "losses", "restarts")


def disk_manifest(image: Path | None, timeout_ms: int = 2000) -> Manifest:
    """@param image  the medium; None: a region"""
    manifest = Manifest.empty()
    manifest.data["regions"] = [
        {"name": "disk0.bar", "bytes": 8192, "share": ["nvme-model", "nvme"]},
        {"name": "disk0.rings", "bytes": 40960, "share": ["nvme-model", "nvme"]},
        {"name": "disk0.frames", "bytes": 1 << 20, "share": ["nvme-model", "nvme", "scribe"]}]
    if image:
        manifest.data["wires"] = [{"name": "disk0", "kind": "file", "to": "nvme-model",
                                   "path": str(image)}]
    else:
        manifest.data["regions"].append({"name": "disk0.media", "bytes": MEDIUM_BYTES,
                                         "share": ["nvme-model"]})
    manifest.add("nvme-model", args=["disk0"], cpu="other", restart="always",
                 syscalls=["pread64", "pwrite64", "fdatasync"])
    manifest.add("nvme", args=["disk0", "nvme-model", str(timeout_ms)],
                 calls=[{"to": "nvme-model"}], restart="always")
    manifest.add("scribe", args=["disk0", "nvme"], calls=[{"to": "nvme"}])
    return manifest


def make_disk(folder: Path) -> Path:
    path = folder / "disk.img"
    with path.open("wb") as file:
        file.truncate(MEDIUM_BYTES)
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_disk(tmp_path)


def last_report(system: System) -> dict[str, int]:
    found = REPORT.findall(system.log("scribe"))
    return dict(zip(FIELDS, map(int, found[-1]))) if found else dict.fromkeys(FIELDS, 0)


def goes_on(system: System, **at_least: int) -> dict[str, int]:
    """Waits until much more was done than now, and checks that nothing was wrong."""
    before = last_report(system)["operations"]

    def enough() -> bool:
        now = last_report(system)
        return now["operations"] > before + 300 and all(now[k] >= v for k, v in at_least.items())

    system.wait(enough, f"the scribe to go on with {at_least}")
    report = last_report(system)
    assert report["wrong"] == 0, system.log("scribe")
    return report


@pytest.fixture
def disk(image: Path) -> Iterator[System]:
    with System(disk_manifest(image), faults=True) as system:
        goes_on(system)
        yield system


def test_blocks_are_read_as_they_were_written(disk: System, image: Path):
    report = goes_on(disk)
    assert report["failed"] == 0
    disk.shutdown()
    assert any(image.read_bytes()), "nothing was written to the file"


def test_medium_in_memory():
    with System(disk_manifest(None)) as system:
        assert goes_on(system)["failed"] == 0


@pytest.mark.parametrize("names", [("nvme",), ("nvme-model",), ("scribe",),
                                   ("nvme", "nvme-model", "scribe", "um", "busd")])
def test_updates_lose_nothing(disk: System, names: tuple[str, ...]):
    for _ in range(3):
        for name in names:
            disk.prctl("mupdate", name, "self")
        disk.prctl("mupdate-start")
        report = goes_on(disk)
        assert (report["failed"], report["losses"], report["restarts"]) == (0, 0, 0)


def test_relocating_updates(disk: System):
    for name in ("nvme", "nvme-model", "scribe"):
        disk.prctl("update", name, "self", "-relocate")
        assert goes_on(disk)["failed"] == 0


def test_power_cut_loses_nothing_that_was_flushed(disk: System):
    for i in range(1, 6):
        disk.kill("nvme-model")
        goes_on(disk, losses=i)


def test_driver_that_dies(disk: System):
    for i in range(1, 6):
        disk.kill("nvme")
        report = goes_on(disk, restarts=i)
        assert report["losses"] == 0


def test_power_cut_while_the_driver_is_dead(disk: System):
    for i in range(1, 4):
        disk.kill("nvme")
        disk.kill("nvme-model")
        goes_on(disk, restarts=i, losses=i)


def test_media_error_is_tried_again(disk: System):
    for point in ("nvme.read", "nvme.write", "nvme.sync"):
        disk.prctl("fault", "nvme-model", point, "error")
        system_fired(disk, point)
        assert goes_on(disk)["failed"] == 0


def system_fired(system: System, point: str) -> None:
    system.wait(lambda: re.search(rf"{re.escape(point)}.*happened", system.prctl("fault", "--list")),
                f"the fault at {point}")


def test_lost_completion_has_the_controller_reset(image: Path):
    with System(disk_manifest(image, timeout_ms=300), faults=True) as system:
        goes_on(system)
        system.prctl("fault", "nvme-model", "nvme.completion", "error")
        system.wait(lambda: "the controller is reset" in system.log("nvme"), "the reset")
        assert goes_on(system)["failed"] == 0


def test_controller_that_does_not_come_up_is_tried_again(image: Path):
    with System(disk_manifest(image, timeout_ms=300), faults=True) as system:
        goes_on(system)
        system.prctl("fault", "nvme-model", "nvme.ready", "error")
        system.prctl("fault", "nvme-model", "nvme.completion", "error")
        system.wait(lambda: "the controller does not come up" in system.log("nvme"), "the failure")
        assert goes_on(system)["failed"] == 0


# ---- bad input ----

def test_missing_file_is_refused(tmp_path: Path):
    output = booting.refused(disk_manifest(tmp_path / "no.img"))
    assert "wire disk0" in output and "no.img: No such file or directory" in output


def test_file_of_another_instance_is_refused(disk: System, image: Path):
    assert disk.status()
    assert "another program has locked the file" in booting.refused(disk_manifest(image))


def test_file_that_is_too_short(tmp_path: Path):
    image = tmp_path / "short.img"
    image.write_bytes(b"x" * 100)
    assert "nvme-model" in booting.refused(disk_manifest(image))


def test_no_medium_at_all():
    manifest = disk_manifest(None)
    manifest.data["regions"].pop()
    assert "nvme-model" in booting.refused(manifest)
