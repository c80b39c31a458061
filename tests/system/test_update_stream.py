"""A short stream of updates, good and bad, under load; tests/faults/stream makes long ones."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))

from streaming import Stream  # noqa: E402

SEED = int(os.environ.get("PROTEOS_SEED", time.time_ns() % 1_000_000))
SECONDS = 20.0


def test_stream_of_updates(capsys: pytest.CaptureFixture[str]) -> None:
    stream = Stream(SEED, SECONDS)
    stream.run()
    with capsys.disabled():
        print(f"\nstream of updates: {stream.summary()}")
    assert not stream.violations, f"seed {SEED}:\n" + "\n".join(stream.violations)
    assert stream.counts["committed"] and stream.counts["refused"] + stream.counts["rolled back"]
    assert stream.figures["requests"] > 0 and stream.downloads.total() > 0
