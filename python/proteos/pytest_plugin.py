"""pytest fixtures: `system`, the default system for one test, and `boot`, to boot variants.

Use it with `-p proteos.pytest_plugin`, or `pytest_plugins = ["proteos.pytest_plugin"]` in a
conftest.py. The logs of the systems that run when a test fails become part of its report."""

from __future__ import annotations

import contextlib
from typing import Callable, Iterator

import pytest

from .manifest import Manifest
from .system import System


@pytest.fixture
def boot() -> Iterator[Callable[..., System]]:
    """boot(manifest=None, **settings of System) boots a system that lives until the test's end."""
    with contextlib.ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(System(*args, **kwargs))


@pytest.fixture
def system() -> Iterator[System]:
    """The default system, freshly booted."""
    with System() as running:
        yield running


@pytest.fixture
def manifest() -> Manifest:
    """The default manifest, to be changed and given to `boot`."""
    return Manifest()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for running in System.live:
            report.sections.append((f"logs of {running.name}", running.logs()))
