#!/usr/bin/python3
"""Checks the models of the update protocol with Spin, exhaustively, and that Spin finds each of the
models' deliberate mistakes: update.pml is the transaction, bus.pml the handover between two busds,
probation.pml what follows a commit with probation.

  run.py           what continuous integration runs
  run.py --large   more components, requests and faults; takes an hour and 20 GB
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).parent
LARGE_TOO = "--large" in sys.argv[1:]
# States are compressed. To optimise takes longer than a small search.
COMPILE = ["cc", "-O2" if LARGE_TOO else "-O0", "-w", "-DSAFETY", "-DCOLLAPSE", "-DNOFAIR", "-DVECTORSZ=2048"]

Defines = dict[str, int]

CASES: dict[str, list[Defines]] = {
    "update": [{"N": 2}, {"N": 2, "ASKED": 1}, {"N": 1, "UM_TOO": 1, "REQUESTS": 2},
               {"N": 2, "UM_TOO": 1}],
    "bus": [{}, {"FAULTS": 2}],
    "probation": [{}, {"OLDER": 0}, {"OLDER": 3, "NEWER": 4}],
}
LARGE: dict[str, list[Defines]] = {
    "update": [{"N": 3}, {"N": 3, "ASKED": 2}, {"N": 2, "FAULTS": 2},
               {"N": 2, "UM_TOO": 1, "ASKED": 1}, {"N": 2, "UM_TOO": 1, "REQUESTS": 2},
               {"N": 2, "UM_TOO": 1, "FAULTS": 2}, {"N": 3, "UM_TOO": 1}],
    "bus": [{"FAULTS": 3}, {"CLIENTS": 3}, {"CLIENTS": 3, "FAULTS": 2}],
}
# Where a mistake shows; those of `um` need um as a member.
SMALL: dict[str, Defines] = {"update": {"N": 2, "ASKED": 1}, "bus": {}, "probation": {}}
SMALL_UM: Defines = {"N": 1, "UM_TOO": 1}


def mistakes(model: str) -> dict[str, tuple[int, Defines]]:
    text = (FOLDER / f"{model}.pml").read_text()
    found = re.findall(r"^#define ([A-Z_]{8,}) +(\d+) +/\*(.*)$", text, re.MULTILINE)
    return {name: (int(number), SMALL_UM if "(UM_TOO)" in what else SMALL[model])
            for name, number, what in found if name != "REQUESTS"}


def search(model: str, defines: Defines) -> tuple[int, int, str]:
    """@return errors found, states visited, and what the first error violates"""
    with tempfile.TemporaryDirectory(prefix="proteos-model-") as directory:
        flags = [f"-D{name}={value}" for name, value in defines.items()]
        subprocess.run(["spin", "-a", *flags, FOLDER / f"{model}.pml"], cwd=directory, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([*COMPILE, "-o", "pan", "pan.c"], cwd=directory, check=True)
        output = subprocess.run(["./pan", "-E", "-m400000" if LARGE_TOO else "-m20000", "-w20"], cwd=directory, check=True, text=True,
                                stdout=subprocess.PIPE).stdout
    if "max search depth too small" in output or "out of memory" in output:
        sys.exit("model: the search was cut short:\n" + output)
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    if not errors or not states:
        sys.exit("model: pan ended early:\n" + output)
    violated = re.search(r"pan:1: (.*) \(at depth", output)
    return int(errors[1]), int(states[1]), violated[1] if violated else ""


def check(cases: dict[str, list[Defines]]) -> bool:
    failed = False
    for model, list_of_defines in cases.items():
        for defines in list_of_defines:
            begin = time.monotonic()
            errors, states, violated = search(model, defines)
            print(f"{model} {' '.join(f'{k}={v}' for k, v in defines.items())}: {states} states, "
                  f"{errors} errors {violated}({time.monotonic() - begin:.0f} s)", flush=True)
            failed |= errors != 0
    return failed


def find_mistakes(model: str, expected: int) -> bool:
    failed = False
    names = mistakes(model)
    assert sorted(number for number, _ in names.values()) == list(range(1, expected + 1)), names
    for name, (number, defines) in names.items():
        errors, states, violated = search(model, {**defines, "BREAK": number})
        print(f"{model} {name}: {'found' if errors else 'NOT FOUND'} after {states} states: "
              f"{violated}", flush=True)
        failed |= errors == 0
    return failed


def main() -> int:
    if not shutil.which("spin"):
        print("skipped: there is no spin")
        return 77
    if LARGE_TOO:
        return check(LARGE)
    failed = check(CASES)
    failed |= find_mistakes("update", 14)
    failed |= find_mistakes("bus", 11)
    failed |= find_mistakes("probation", 10)
    return failed


if __name__ == "__main__":
    sys.exit(main())
