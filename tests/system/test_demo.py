"""The demo ends well, in time, and leaves nothing running."""

from __future__ import annotations

import os
import shlex
import subprocess

from proteos import PATIENCE
from proteos.build import SOURCE

# Runs a command as the parent of whatever that leaves behind, and fails if there is something.
WITH_NOTHING_LEFT = """
import ctypes, os, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
status = subprocess.call(sys.argv[1:])
try:
    while os.waitpid(-1, os.WNOHANG)[0]:
        pass
    sys.exit("processes are left")
except ChildProcessError:
    sys.exit(status)
"""


def test_demo():
    done = subprocess.run(["/usr/bin/python3", "-c", WITH_NOTHING_LEFT, SOURCE / "scripts/demo"],
                          text=True, timeout=PATIENCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert "UM: Live update done." in done.stdout
    assert "requests failed   0\n" in done.stdout
    assert "download digest   right" in done.stdout


def test_demo_can_be_kept(tmp_path):
    env = {**os.environ, "PROTEOS_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run([SOURCE / "scripts/demo", "--keep"], text=True, timeout=PATIENCE, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = [line.strip() for line in done.stdout.splitlines()]
    said = said[said.index("The system is still up:") + 1:]
    down = next(line for line in said if line.endswith(" shutdown"))
    try:
        for line in said[:2]:  # curl, status
            subprocess.run(shlex.split(line), env=env, check=True, timeout=PATIENCE,
                           stdout=subprocess.DEVNULL)
    finally:
        subprocess.run(shlex.split(down), env=env, check=True, timeout=PATIENCE)
    assert not list(tmp_path.glob("*/control*"))
    assert done.returncode == 0, done.stdout
