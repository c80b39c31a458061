#!/usr/bin/python3
"""Checks the model of the update protocol with Spin, exhaustively, and that Spin finds each of the
model's deliberate mistakes.

  run.py [--both]    --both sends the request to either member in turn, which takes twice as long
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = Path(__file__).with_name("update.pml")
# Random order of search: mistakes are found sooner. States are compressed; memory stays below 2 GB.
COMPILE = ["cc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DNOFAIR", "-DVECTORSZ=2048",
           "-DP_RAND", "-DT_RAND", "-DRANDOMIZE=123"]


def mistakes() -> dict[str, int]:
    found = re.findall(r"^#define ([A-Z_]+) +([1-9]\d*) +/\*", MODEL.read_text(), re.MULTILINE)
    return {name: int(number) for name, number in found if name not in ("FAULTS", "ASKED")}


def search(**defines: int) -> tuple[int, int, str]:
    """@return errors found, states visited, and what the first error violates"""
    with tempfile.TemporaryDirectory(prefix="proteos-model-") as directory:
        flags = [f"-D{name}={value}" for name, value in defines.items()]
        subprocess.run(["spin", "-a", *flags, MODEL], cwd=directory, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([*COMPILE, "-o", "pan", "pan.c"], cwd=directory, check=True)
        output = subprocess.run(["./pan", "-E", "-m200000"], cwd=directory, check=True, text=True,
                                stdout=subprocess.PIPE).stdout
    if "max search depth too small" in output or "out of memory" in output:
        sys.exit("model: the search was cut short:\n" + output)
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    if not errors or not states:
        sys.exit("model: pan ended early:\n" + output)
    violated = re.search(r"pan:1: (.*) \(at depth", output)
    return int(errors[1]), int(states[1]), violated[1] if violated else ""


def main() -> int:
    if not shutil.which("spin"):
        print("skipped: there is no spin")
        return 77
    failed = False
    for asked in (0, 1) if "--both" in sys.argv[1:] else (0,):
        errors, states, violated = search(ASKED=asked)
        print(f"the protocol, member {asked} is asked: {states} states, {errors} errors {violated}",
              flush=True)
        failed |= errors != 0
    names = mistakes()
    assert len(names) == 8, names
    for name, number in names.items():
        errors, states, violated = search(ASKED=1, BREAK=number)
        print(f"{name}: {'found' if errors else 'NOT FOUND'} after {states} states: {violated}",
              flush=True)
        failed |= errors == 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
