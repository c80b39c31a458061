"""What several system tests use."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from proteos.load import Load  # noqa: E402
from proteos.namespace import TapNamespace, Unavailable  # noqa: E402
from proteos.system import System  # noqa: E402

pytest_plugins = ["proteos.pytest_plugin"]


@pytest.fixture
def load(system: System) -> Iterator[Load]:
    """Light but steady traffic through `system`; fails the test when any of it failed."""
    with Load(system.url(), connections=4, streams=1, pause_us=2000) as running:
        running.wait_until_busy()
        yield running
        figures = running.finish()
        assert figures["failed"] == 0, f"{figures}\n{running.errors()}"


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
