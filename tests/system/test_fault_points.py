"""Faults at the points that an update comes to, and at random moments, under load: a sample, as large
as there is time for. tests/faults/run makes all of them."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))

import cases  # noqa: E402

SEED = int(os.environ.get("PROTEOS_SEED", time.time_ns() % 1_000_000))
SECONDS = 40.0
RANDOM_SECONDS = 15.0


def report(experiment: cases.Experiment, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{what}, seed {SEED}: {cases.summary(experiment)}")
    assert not experiment.failures, f"seed {SEED}:\n" + "\n".join(experiment.failures)
    assert experiment.counts["cases"] > 5


def test_faults_at_fault_points(capsys):
    with cases.Experiment(SEED) as experiment:
        all_of_them = cases.all_cases(experiment)
        assert experiment.system
        missing = cases.points_in_files(experiment.system) - {c.point for c in all_of_them}
        assert not missing, f"no update comes to {missing}"
        random.Random(SEED).shuffle(all_of_them)
        cases.run_cases(experiment, all_of_them, SECONDS)
    report(experiment, f"of {len(all_of_them)} faults at fault points", capsys)
    happened = experiment.counts["faults that happened"]
    assert happened >= 0.8 * experiment.counts["cases"], "orders are not carried out"


def test_faults_at_random_moments(capsys):
    with cases.RandomExperiment(SEED) as experiment:
        cases.run_cases(experiment, list(cases.shots(SEED, 10_000)), RANDOM_SECONDS)
    report(experiment, "at random moments", capsys)
