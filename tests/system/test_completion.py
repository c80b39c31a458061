"""Completion of prctl's command line in bash."""

from __future__ import annotations

import json
import subprocess

import pytest

from proteos import Manifest, System
from proteos.build import BUILD, PRCTL, SOURCE

SCRIPT = SOURCE / "scripts" / "completion" / "prctl.bash"


@pytest.fixture(scope="module")
def running():
    with System(Manifest.empty().add("counter").add("asker", calls=[{"to": "counter"}])) as system:
        yield system


def complete(system: System, *words: str, cwd=None) -> set[str]:
    """What bash would offer for the last of these words of a command line."""
    words = (str(PRCTL), *words)
    quoted = " ".join(f"'{word}'" for word in words)
    script = (f"source {SCRIPT}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _prctl; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", script], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, cwd=cwd, check=True,
                          env={**system.environment(), "PROTEOS_INSTANCE": system.name})
    assert done.stderr == ""
    return set(done.stdout.split())


def test_commands(running):
    shown = complete(running, "")
    assert {"boot", "status", "update", "mupdate-start", "reload", "top", "--instance"} <= shown
    assert complete(running, "st") == {"start", "status", "stop"}
    assert complete(running, "mupdate-s") == {"mupdate-start"}
    assert complete(running, "no-such") == set()


def test_every_command_of_the_help_is_offered(running):
    lines = running.prctl("help").splitlines()
    commands = {line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "}
    assert commands <= complete(running, "")


@pytest.mark.parametrize("command", ["start", "stop", "gdb", "kill", "update", "mupdate"])
def test_components(running, command):
    assert complete(running, command, "") == {"um", "counter", "asker"}
    assert complete(running, command, "c") == {"counter"}


def test_components_of_another_instance(running, boot):
    other = boot(Manifest.empty(), base=running.base)
    assert complete(running, "--instance", other.name, "stop", "") == {"um"}
    assert complete(running, "--instance", "=", other.name, "stop", "") == {"um"}
    assert {running.name, other.name} <= complete(running, "--instance", "")


def test_components_of_no_instance(running):
    assert complete(running, "--instance", "no-such", "stop", "") == set()


def test_logs(running):
    assert complete(running, "log", "") == {"instance", "um", "counter", "asker"}


def test_options(running):
    assert complete(running, "status", "-") == {"--json"}
    assert complete(running, "top", "-") == {"-d", "-n", "--json"}
    assert complete(running, "mem", "-") == {"--json"}
    assert complete(running, "sched", "-") == {"-d", "--json"}
    assert {"-state", "-allow", "-timeout", "-v", "--json", "--all", "--dry-run"} <= \
        complete(running, "update", "counter", "/bin/counter.new", "-")
    assert complete(running, "update", "--al") == {"--all"}
    assert "-maxtime" in complete(running, "mupdate-start", "-")
    assert complete(running, "boot", "-") == {"--manifest", "--faults", "-q"}
    assert complete(running, "fault", "-") == {"-nth", "-value", "--list", "--clear", "--points"}
    assert complete(running, "mupdate-cancel", "-") == set()
    assert "-maxtime" not in complete(running, "mupdate", "-")
    assert complete(running, "trace", "-") == {"-e"}
    assert complete(running, "shutdown", "-") == set()
    assert complete(running, "start", "-") == set()
    assert running.instance().state == "running"  # it was only asked for its usage


def test_fault_orders(running):
    assert complete(running, "fault", "") == {"loader", "busd", "um", "counter", "asker"}
    assert complete(running, "fault", "um", "um.com") == {"um.commit", "um.committed"}
    assert complete(running, "fault", "um", "um.commit", "h") == {"hang"}


def test_signals(running):
    assert complete(running, "kill", "counter", "STO") == {"STOP"}


def test_versions_below_the_root_folder_and_on_the_host(running, tmp_path):
    assert complete(running, "update", "counter", "/bin/counter.n") == \
        {"/bin/counter.new", "/bin/counter.narrow"} & set(
            f"/bin/{path.name}" for path in (BUILD / "root" / "bin").glob("counter.n*"))
    (tmp_path / "version.new").touch()
    assert complete(running, "update", "counter", f"{tmp_path}/ver") == {f"{tmp_path}/version.new"}
    assert complete(running, "mupdate", "counter", "ver", cwd=tmp_path) == {"version.new"}


@pytest.mark.parametrize("words", [("check",), ("reload",), ("boot", "--manifest"),
                                   ("sign", "key.secret")])
def test_files(running, tmp_path, words):
    (tmp_path / "some.yaml").touch()
    assert complete(running, *words, "so", cwd=tmp_path) == {"some.yaml"}


def test_it_is_installed():
    plan = json.loads((BUILD / "meson-info" / "intro-install_plan.json").read_text())
    assert [entry["destination"] for path, entry in plan["data"].items()
            if path.endswith("prctl.bash")] == \
        ["{datadir}/bash-completion/completions/prctl"]
