"""What several system tests use."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from counting import counter_manifest, progress  # noqa: E402
from proteos import Manifest  # noqa: E402
from proteos.load import Load  # noqa: E402
from proteos.namespace import TapNamespace, Unavailable  # noqa: E402
from proteos.system import System  # noqa: E402

# Where ordinary users do not look, and where mkfs.ext4 is.
os.environ["PATH"] += ":/usr/sbin:/sbin"

pytest_plugins = ["proteos.pytest_plugin"]
# Tests that are about a time-out give their own.
Manifest.patience = Manifest.PATIENT


@pytest.fixture
def load(system: System) -> Iterator[Load]:
    """Light but steady traffic through `system`; fails the test when any of it failed."""
    with Load(system.url(), connections=4, streams=1, pause_us=2000) as running:
        running.wait_until_busy()
        yield running
        figures = running.finish()
        assert figures["failed"] == 0, f"{figures}\n{running.errors()}"


@pytest.fixture
def losing() -> Iterator[System]:
    """A counter and its asker, which may lose answers."""
    with System(counter_manifest()) as running:
        progress(running)
        yield running


@pytest.fixture
def counted(losing: System) -> Iterator[System]:
    """The same, but no answer may have been wrong in the end."""
    yield losing
    assert progress(losing)["wrong"] == 0


@pytest.fixture
def faulty() -> Iterator[System]:
    """A counter, and fault points."""
    with System(Manifest.empty().add("counter", restart="always"), faults=True) as running:
        yield running


@pytest.fixture
def namespace() -> Iterator[TapNamespace]:
    """A namespace with a TAP device. Where there can be none the test is skipped, by name, unless
    the environment's REQUIRE contains "tap"."""
    try:
        entered = TapNamespace()
        with entered:
            yield entered
    except Unavailable as reason:
        if "tap" in os.environ.get("REQUIRE", "").split(","):
            pytest.fail(str(reason))
        pytest.skip(f"tap: {reason}")
