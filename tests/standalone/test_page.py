"""The programs of docs/standalone.md, built as the page says and updated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from alone import LIMIT  # noqa: E402
from page import block, installed, shell, uninstalled  # noqa: E402

def test_example_is_short():
    assert len(block("c", "example").splitlines()) <= 30


@pytest.mark.parametrize("where", [installed, uninstalled])
def test_example_is_updated(tmp_path, where):
    variables = where(tmp_path)
    (tmp_path / "seen.c").write_text(block("c", "example"))
    shell(block("sh", "change"), tmp_path)
    for name in ("seen", "seen.new"):
        shell(block("sh", "build"), tmp_path, name=name, **variables)
    environment = {**os.environ, **variables}
    st_run, st_update, st_diff = (shutil.which(f"st-{name}", path=environment["PATH"])
                                  for name in ("run", "update", "diff"))
    assert subprocess.run([st_diff, "seen", "seen.new"], cwd=tmp_path,
                          stdout=subprocess.DEVNULL).returncode == 0
    with subprocess.Popen([st_run, "./seen"], cwd=tmp_path, env=environment, text=True, bufsize=0,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        def ask(line):
            p.stdin.write(line + "\n")
            return p.stdout.readline().strip()
        assert (ask("tea"), ask("tea"), ask("milk")) == ("tea: 1", "tea: 2", "milk: 1")
        done = subprocess.run([st_update, str(p.pid), "seen.new"], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"process {p.pid} now runs seen.new" in done.stdout
        assert (ask("tea"), ask("milk"), ask("tea")) == ("tea: 3 (1)", "milk: 2 (1)", "tea: 4 (2)")
        p.stdin.close()
        assert p.wait(LIMIT) == 0
