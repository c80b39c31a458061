"""A program that stands alone (docs/standalone.md), replaced by CRIU's checkpoint and restore,
beside its update: both as commands, from their start to their end."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from proteos.build import BUILD
from proteos.process import Process
from proteos.waiting import wait_for

from result import distribution, result

ROUNDS = 10
PROGRAMS = BUILD / "tests" / "standalone"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it does not say why"


def _why_unusable() -> str:
    """Why there can be no comparison; "" when there can."""
    if not shutil.which("criu"):
        return "it is not installed (apt-get install criu)"
    done = subprocess.run(["criu", "check"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return f"criu check: {_last_line(done.stdout)}" if done.returncode else ""


def _run(*command: str) -> float:
    """@return milliseconds"""
    begin = time.monotonic()
    subprocess.run(command, check=True, text=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return (time.monotonic() - begin) * 1000


@contextmanager
def _counter(folder: Path) -> Iterator[subprocess.Popen]:
    """A program without a terminal or pipes, which CRIU could not restore."""
    output = folder / "output"
    with output.open("w") as file:
        program = subprocess.Popen([str(PROGRAMS / "counter.v1")], start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        wait_for(lambda: output.read_text().strip(), "the counter's port")
        yield program
    finally:
        program.kill()
        program.wait()


def _update_ms() -> list[float]:
    with tempfile.TemporaryDirectory() as folder, _counter(Path(folder)) as program:
        update = str(BUILD / "libst" / "st-update")
        return [_run(update, str(program.pid), str(PROGRAMS / f"counter.v{2 - i % 2}"))
                for i in range(ROUNDS)]


def _criu_ms() -> float:
    with tempfile.TemporaryDirectory() as folder, _counter(Path(folder)) as program:
        images = ["-D", folder]
        dump = _run("criu", "dump", *images, "-t", str(program.pid))
        program.wait()  # the restored process has its number
        restore = _run("criu", "restore", *images, "--restore-detached")
        restored = Process.open(program.pid)
        if restored:
            restored.send(9)
            restored.wait(5)
            restored.close()
    return dump + restore


def checkpoint_and_restore() -> list[dict]:
    why = _why_unusable()
    try:
        if not why:
            times = [_criu_ms() for _ in range(ROUNDS)]
    except subprocess.CalledProcessError as error:
        why = f"{' '.join(error.cmd[:2])}: {_last_line(error.stderr)}"
    if why:
        print(f"bench: CRIU is not compared: {why}", file=sys.stderr)
        return []
    updates = _update_ms()
    return [result("criu_dump_restore_ms", statistics.median(times), "ms",
                   "the update of the same program", statistics.median(updates),
                   ms=distribution(times), update_ms=distribution(updates))]
