"""The metadata of the system's own components: packed, and with a type for every allocation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [os.environ["BENCH"], os.environ["PROTEOS_PYTHON"]]
from metadata import SERVERS, code_bytes, metadata_bytes, text_bytes  # noqa: E402

COMPONENTS = Path(os.environ["COMPONENTS"])
META = os.environ["ST_META"]


@pytest.mark.parametrize("name", SERVERS)
def test_metadata_is_small(name):
    path = COMPONENTS / name
    assert 0 < metadata_bytes(path) < text_bytes(path) / 4
    assert code_bytes(path) < text_bytes(path)


def test_packing_loses_nothing():
    """What state of net and of a library's types it needs is there, and what the old reader read."""
    done = subprocess.run([META, "dump", COMPONENTS / "net"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for expected in ("variable", "struct tcp_pcb#", "type struct socket#", " netif: struct netif#",
                     "function", "library liblwip.so.0"):
        assert expected in done.stdout, expected


def test_every_allocation_of_the_bus_has_a_type():
    """It is built from a library, and once more for its versions that differ: each source has
    several compile commands."""
    done = subprocess.run([META, "dump", COMPONENTS / "busd"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sites = [line for line in done.stdout.splitlines() if line.startswith("site ")]
    assert sites and [line for line in sites if ": untyped " in line] == []
