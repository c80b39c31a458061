"""The simulated card as a component: it is updated, killed and unplugged like any other."""

from __future__ import annotations

import os
import re
import signal

from proteos import PATIENCE, System
from proteos.download import Download


def test_the_device_is_updated_under_load(system, load):
    for _ in range(5):
        system.update("e1000-model", "/bin/e1000-model")
    status = system.status()
    assert status["e1000-model"].updates == 5
    assert all(component.restarts == 0 for component in status.values())


def test_device_and_driver_are_updated_together(system, load):
    for turn in range(5):
        system.mupdate("e1000-model", "/bin/e1000-model")
        system.mupdate("e1000", "/bin/e1000" + ("", ".new")[turn % 2 == 0])
        system.mupdate_start()
    assert system.status()["e1000"].updates == 5


def frames_sent(system) -> int:
    """As the driver's last version counted them, in the line that it logs when it ends."""
    lines = re.findall(r"^e1000: (\d+) frames sent, \d+ received", system.log("e1000"), re.M)
    return int(lines[-1])


def test_counters_go_along_into_another_layout(manifest):
    manifest.data["timeouts_ms"]["stop"] = 60_000  # who is killed logs nothing
    with System(manifest) as system:
        with Download(system.url(), 10_000_000) as download:
            download.wait(PATIENCE)
        for version in ("e1000.new", "e1000", "e1000.new"):
            system.update("e1000", f"/bin/{version}")
        system.shutdown()
        assert frames_sent(system) >= 10_000_000 // 1460


def test_a_download_survives_the_driver_s_crash(system):
    with Download(system.url(), 100_000_000) as download:
        system.wait(lambda: download.received > 1_000_000, "the download to run")
        system.kill("e1000")
        system.wait_for_restart("e1000")
        download.wait(PATIENCE)
        assert download.right(), download.errors


def test_the_driver_brings_a_crashed_device_up_again(system):
    system.kill("e1000-model")
    system.wait_for_restart("e1000-model")
    with Download(system.url(), 1_000_000) as download:
        download.wait(PATIENCE)
        assert download.right(), download.errors
    assert system.status()["e1000"].restarts == 0


def helper_of(system) -> int:
    return next(pid for pid, command in system.processes().items() if "proteos-slirp" in command)


def test_a_wire_without_a_peer_is_a_link_that_is_down(system):
    os.kill(helper_of(system), signal.SIGKILL)
    system.wait(lambda: "no peer" in system.log("e1000-model"), "the device to notice")
    system.update("e1000", "/bin/e1000.new")
    system.update("net", "/bin/net.new")
    assert all(component.state == "running" for component in system.status().values())
