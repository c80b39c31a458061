"""prctl check: every problem of a manifest, with its line, and what boot would take."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from proteos import Manifest
from proteos.build import BUILD, PRCTL


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PRCTL, "check", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("arguments, name, programs", [
    ([], "system.yaml", ", 24 programs at most"), ([BUILD / "network.yaml"], "network.yaml", ""),
])
def test_shipped_manifests_are_good(arguments, name, programs):
    done = check(*arguments)
    components = len(Manifest(BUILD / name).data["components"])
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == \
        f"{(BUILD / name).resolve()}: ok, {components} components{programs}, calls are acyclic"


def test_every_problem_is_a_line(tmp_path):
    path = tmp_path / "system.yaml"
    path.write_text(f"""\
root: {BUILD / 'root'}
timeouts_ms: {{converge: 0}}
components:
  - {{name: um, file: um, kernel: [update], colour: red}}
  - name: a
    file: counter
    syscalls: [fly, ptrace]
    calls: [{{to: b}}, {{to: nobody}}]
  - name: b
    file: no-such
    calls: [{{to: a}}]
  - {{name: b, file: counter}}
""")
    done = check(path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"{path}: {line}" for line in (
        "line 4: unknown key 'colour'",
        "line 2: timeouts_ms: converge: must not be 0",
        "line 7: component a: syscalls: there is no system call 'fly'",
        "line 7: component a: syscalls: no component is ever allowed 'ptrace'",
        f"line 10: component b: its executable {BUILD.resolve()}/root/bin/no-such is missing or "
        "not executable",
        "line 12: component b is declared twice",
        "line 8: component a calls nobody, which is not declared",
        "line 8: calls: must not form a cycle: a -> b -> a")]


def test_component_without_metadata_is_a_note(tmp_path):
    path = tmp_path / "system.yaml"
    Manifest.empty().add("true", "/usr/bin/true").write(path)
    done = check(path)
    assert done.returncode == 0
    assert f"{path}: note: component true: /usr/bin/true has no metadata: it cannot be updated" in \
        done.stdout.splitlines()


def test_missing_file(tmp_path):
    done = check(tmp_path / "no.yaml")
    assert done.returncode == 1
    assert done.stdout == f"{tmp_path}/no.yaml: cannot be opened: No such file or directory\n"
    done = check(tmp_path)
    assert (done.returncode, done.stdout) == (1, f"{tmp_path}: is a folder, not a manifest\n")


def test_usage():
    done = check("a", "b")
    assert done.returncode == 2
    assert done.stdout == "usage: prctl check [FILE]\n"
