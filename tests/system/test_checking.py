"""Options of an update that check more than the transfer does by itself."""

from __future__ import annotations

import pytest


def test_checks_that_hold(counted):
    counted.update("counter", "/bin/counter.new", None, "-check", "total == old(total)",
                   "--check", "num_notes == old(num_notes) && updates_seen == 1")
    counted.mupdate("counter", "/bin/counter", None, "-check", "num_notes >= old(num_notes)")
    counted.mupdate_start()
    assert counted.status()["counter"].updates == 2


@pytest.mark.parametrize("check, outcome", [
    ("updates_seen == 0", "is false after the update: updates_seen is 1. Rolled back to the old "
                          "version."),
    ("num_notes > old(num_notes)", "is false after the update: num_notes is "),
    ("total == 0", "is false before the update already: total is "),
])
def test_check_that_is_false_rolls_back(counted, check, outcome):
    before = counted.status()["counter"]
    done = counted.try_prctl("update", "counter", "/bin/counter.new", "-check", check)
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 3 and outcome in last, done.stdout
    assert last.startswith(f"UM: Live update failed: counter: violation: check '{check}'")
    assert counted.status()["counter"].pid == before.pid


@pytest.mark.parametrize("name", ["e1000", "net", "httpd"])
def test_real_updates_come_back(system, name):
    """There and back again between a component's two versions, with everything moved as well."""
    for turn, version in enumerate((f"{name}.new", name, f"{name}.new"), 1):
        system.update(name, f"/bin/{version}", None, "--validate", "--relocate", "--strict")
        assert system.status()[name].updates == turn
    system.wait(lambda: "blocks were transferred back and compared" in system.log(name), "the report")


def test_wrong_check_is_refused_at_once(counted):
    done = counted.try_prctl("mupdate", "counter", "/bin/counter.new", "-check", "totl == 0")
    assert done.returncode == 1
    assert done.stdout == ("UM: Live update of counter refused: check 'totl == 0': column 1: "
                           "unknown variable 'totl'; did you mean 'total'?\n")
    done = counted.try_prctl("update", "counter", "/bin/counter.new",
                             *["-check", "total == old(total)" + " && total" * 600] * 5)
    assert "its checks are longer than 16384 bytes" in done.stdout
    assert counted.status()["counter"].updates == 0
