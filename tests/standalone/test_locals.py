"""st-instrument names the locals that live across the update point, and only those."""

from __future__ import annotations

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from page import block, uninstalled  # noqa: E402

SUBJECT = """
#include <libst/alone.h>
#include <poll.h>
static int helper(int fd, int limit, int before) {
  int rounds = before;
  for (int i = 0; i < limit; i++) {
    st_update_point();
    rounds += fd;
  }
  return rounds;
}
static int straight(int used, int not_used) {
  int first = not_used;
  st_update_point();
  int second = 3;
  return used + second + (first = 1);
}
int main(int argc, char **argv) {
  int carried = argc, unused = 2, again, temporary, counted;
  const int constant = 5;
  static int kept;
  st_startup(&argc, &argv);
  int after = 7;
  counted = unused;
  while (kept >= 0) {
    int inside = 3;
    struct pollfd p[1];
    st_update_point();
    again = poll(p, 1, 0);
    temporary = again + 1;
    counted = counted + 1;
    kept += inside + carried + temporary + constant + argc;
  }
  kept = helper(1, 2, 3) + straight(4, 5);
  return after;
}
"""


def test_locals_that_live_are_named(tmp_path):
    (tmp_path / "subject.c").write_text(SUBJECT)
    done = subprocess.run(["sh", "-eu"], input=block("sh", "build"), cwd=tmp_path, text=True,
                          env={**os.environ, "name": "subject", **uninstalled(tmp_path)},
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"subject.c:(\d+): local '(\w+)' of '(\w+)' lives across st_update_point\(\)",
                       done.stderr)
    assert sorted((function, name) for _, name, function in found) == [
        ("helper", "fd"), ("helper", "i"), ("helper", "limit"), ("helper", "rounds"),
        ("main", "after"), ("main", "carried"), ("main", "counted"), ("straight", "used")]
    lines = SUBJECT.split("\n")
    assert all(re.search(rf"\b{name}\b", lines[int(line) - 1]) for line, name, _ in found)
