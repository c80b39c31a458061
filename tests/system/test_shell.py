"""The shell on the console: commands, pipelines, redirections, jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from machine import Machine, made_with


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    files = made_with(folder / "files", {"text": "one\ntwo\nthree\n"})
    with Machine(folder, files) as running:
        yield running


def test_a_command(machine: Machine):
    assert machine.output("echo hello") == "hello\n"
    assert machine.output("cat /text") == "one\ntwo\nthree\n"
