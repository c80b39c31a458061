"""What the tests of storage have alike: a system with files, and how it fails and comes back."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from filing import Failed, Filer, Lost, Storage, make_image


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "disk.img", 64)


@pytest.fixture
def storage(tmp_path: Path, image: Path) -> Iterator[Storage]:
    with Storage(tmp_path, image) as running:
        yield running


@pytest.fixture
def filer(storage: Storage) -> Filer:
    return storage.filer


@contextmanager
def fails(number: int) -> Iterator[None]:
    with pytest.raises(Failed) as caught:
        yield
    assert caught.value.errno == number, f"{caught.value}, not {errno.errorcode[number]}"


def until_dead(storage: Storage, name: str) -> None:
    """Waits for the end of one that has been killed, and is not restarted."""
    storage.system.wait(lambda: storage.system.status()[name].state == "dead", f"{name}'s end")


def until_back(storage: Storage, restarts: int = 1) -> None:
    """Waits until the server has been started again, and answers."""
    storage.system.wait_for_restart("storage", restarts)
    storage.system.wait(lambda: answers(storage.filer), "storage to be back")


def answers(filer: Filer) -> bool:
    try:
        filer.stat("/")
    except Lost:
        return False
    return True


def endpoint(storage: Storage, name: str) -> int:
    """Components are numbered from 1 in the order of the manifest."""
    names = [c["name"] for c in storage.system.manifest.data["components"]]
    return names.index(name) + 1
