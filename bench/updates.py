"""What clients notice of updates of one to all components at once, and of one a second."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from typing import Callable

from proteos import System
from proteos.load import Load
from proteos.namespace import TapNamespace, Unavailable

from gaps import Setup, _nothing, _windows, _worst_ms
from result import distribution, percentile, result

UPDATES = 25  # of each set
SECONDS = 8  # of throughput with updates, and as many without, in turns
TURNS = 4
# The order in which a set grows: what clients talk to first, busd at the end.
ORDER = ["net", "httpd", "e1000", "e1000-model", "um", "busd"]
PHASES = ("load", "converge", "transfer", "commit")


def _update(system: System, names: list[str], records: list[dict]) -> Callable[[int], list]:
    """Updates a set to the executables that run: all that an update does but conversions."""
    def update(_: int) -> list:
        for name in names:
            system.mupdate(name, "self")
        records.append(json.loads(system.prctl("mupdate-start", "--json")))
        return []
    return update


def _shares(records: list[dict]) -> str:
    """The phases' part of the time in which anything waits, and of the whole."""
    took = {p: sum(x["took_us"] for r in records for x in r["phases"] if x["phase"] == p)
            for p in PHASES}
    whole = sum(took.values()) or 1
    return ", ".join(f"{p} {100 * us / whole:.0f} %" for p, us in took.items())


def _sets(setup: Setup) -> list[dict]:
    results = []
    with setup.busy() as (system, load):
        control = percentile(_worst_ms(_windows(load, UPDATES, _nothing)), 99)
        for n in range(1, len(ORDER) + 1):
            records: list[dict] = []
            gaps = _worst_ms(_windows(load, UPDATES, _update(system, ORDER[:n], records)))
            results.append(result(f"update_gap_{n}_components_ms", percentile(gaps, 99), "ms",
                                  "the same load without updates", control,
                                  components=", ".join(ORDER[:n]), gap_ms=distribution(gaps),
                                  phases=_shares(records)))
        failed = load.finish()["failed"]
    whole = dict(results[-1], name="update_gap_all_ms")
    whole["details"] = {**results[-1]["details"], "requests_failed": failed}
    return [*results, whole]


def _requests(load: Load, seconds: float, each_second: Callable[[], None]) -> int:
    load.mark()
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        begin = time.monotonic()
        each_second()
        time.sleep(max(0.0, min(1.0, left) - (time.monotonic() - begin)))
    return load.mark()["requests"]


def _throughput(setup: Setup) -> list[dict]:
    """In turns, so that what else goes on in the machine falls on both."""
    quiet = busy = 0
    with setup.busy() as (system, load):
        for _ in range(TURNS):
            quiet += _requests(load, SECONDS / TURNS, lambda: None)
            busy += _requests(load, SECONDS / TURNS, lambda: system.update("net", "self") and None)
        failed = load.finish()["failed"]
    return [result("updates_1hz_throughput_loss", 1 - busy / quiet, "", "requests without updates",
                   quiet, requests_with_updates=busy, requests_failed=failed)]


# ---- CRIU ----


def _criu_unusable() -> str:
    if not shutil.which("criu"):
        return "it is not installed (apt-get install criu)"
    done = subprocess.run(["criu", "check"], text=True, capture_output=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def _criu(gap: float) -> list[dict]:
    """Checkpoint and restore of a small process that only waits: less than any component."""
    why = _criu_unusable()
    if why:
        print(f"bench: CRIU is not compared: {why}", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        subject = subprocess.Popen(["sleep", "1000"], start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        begin = time.monotonic()
        try:
            subprocess.run(["criu", "dump", "-t", str(subject.pid), "-D", folder], check=True,
                           capture_output=True)
            subprocess.run(["criu", "restore", "-d", "-D", folder], check=True, capture_output=True)
        except subprocess.CalledProcessError as error:
            print(f"bench: CRIU is not compared: {error}", file=sys.stderr)
            return []
        finally:
            took = (time.monotonic() - begin) * 1000
            subprocess.run(["kill", str(subject.pid)], check=False)
    return [result("criu_dump_restore_ms", took, "ms", "update gap of one component", gap)]


def measure() -> list[dict]:
    with ExitStack() as stack:
        try:
            setup = Setup(stack.enter_context(TapNamespace()))
        except Unavailable:
            setup = Setup(None)
        results = [*_sets(setup), *_throughput(setup)]
    return [*results, *_criu(results[0]["value"])]
