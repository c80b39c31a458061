"""Faults at the points that updates and services come to, and at random moments, under load: a sample, as large
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
from services import ServiceExperiment  # noqa: E402

SEED = int(os.environ.get("PROTEOS_SEED", time.time_ns() % 1_000_000))
SECONDS = 40.0
SERVICE_SECONDS = 10.0
RANDOM_SECONDS = 15.0


def report(experiment: cases.Experiment, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{what}, seed {SEED}: {cases.summary(experiment)}")
    assert not experiment.failures, f"seed {SEED}:\n" + "\n".join(experiment.failures)
    assert experiment.counts["cases"] > 5


@pytest.fixture(scope="module")
def service_cases() -> list[cases.Case]:
    with ServiceExperiment(SEED) as experiment:
        return experiment.all_cases()


def test_faults_at_fault_points(service_cases, capsys):
    with cases.Experiment(SEED) as experiment:
        all_of_them = experiment.all_cases()
        assert experiment.system
        known = {c.point for c in all_of_them + service_cases}
        missing = cases.points_in_files(experiment.system) - known
        assert not missing, f"nothing comes to {missing}"
        random.Random(SEED).shuffle(all_of_them)
        cases.run_cases(experiment, all_of_them, SECONDS)
    report(experiment, f"of {len(all_of_them)} faults at fault points", capsys)
    happened = experiment.counts["faults that happened"]
    assert happened >= 0.8 * experiment.counts["cases"], "orders are not carried out"


def test_faults_in_services(capsys):
    with ServiceExperiment(SEED) as experiment:
        all_of_them = experiment.all_cases()
        random.Random(SEED).shuffle(all_of_them)
        cases.run_cases(experiment, all_of_them, SERVICE_SECONDS)
    report(experiment, f"of {len(all_of_them)} faults in rounds of services", capsys)
    happened = experiment.counts["faults that happened"]
    assert happened >= 0.8 * experiment.counts["cases"], "orders are not carried out"


def test_faults_at_random_moments(capsys):
    with cases.RandomExperiment(SEED) as experiment:
        cases.run_cases(experiment, list(cases.shots(SEED, 10_000)), RANDOM_SECONDS)
    report(experiment, "at random moments", capsys)
