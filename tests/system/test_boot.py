"""Booting, looking, shutting down, and several instances."""

from __future__ import annotations

import stat
import subprocess

import booting
from proteos import PATIENCE, System, process
from proteos.build import PRCTL

COMPONENTS = {"um", "e1000-model", "e1000", "net", "httpd"}


def test_boot_brings_every_component_up(system):
    status = system.status()
    assert set(status) == COMPONENTS
    for component in status.values():
        assert component.state == "running"
        assert component.updates == 0 and component.restarts == 0
        assert len(component.build_id) == 40


def test_messages_are_counted(system):
    before = system.status()
    subprocess.run(["curl", "-sf", "-o", "/dev/null", system.url("/bytes/10")], check=True)
    after = system.status()
    for name in COMPONENTS - {"um"}:
        assert after[name].messages > before[name].messages
    assert after["um"].messages == before["um"].messages


def test_prctl_status_prints_what_the_control_socket_says(system):
    output = system.prctl("status")
    for name, component in system.status().items():
        line = next(line for line in output.splitlines() if name in line.split())
        assert str(component.pid) in line.split()
        assert "running" in line
        assert component.build_id[:8] in line


def test_nothing_is_left_after_shutdown():
    with System() as system:
        pids = list(system.processes())
        assert len(pids) >= len(COMPONENTS) + 2
        system.prctl("shutdown")
        system.wait(lambda: not any(map(process.command, pids)), "the end of every process")
        assert not system.socket.exists()
    assert system.leftovers == []
    assert not system.directory.exists()


def test_the_runtime_directory_is_the_owners_only(system):
    assert stat.S_IMODE(system.runtime.stat().st_mode) == 0o700


def test_two_instances_side_by_side(boot):
    one, other = boot(), boot()
    assert one.url() != other.url()
    other_pids = {name: c.pid for name, c in other.status().items()}
    assert not set(one.processes()) & set(other.processes())
    one.update("net", "/bin/net.new")
    one.shutdown()
    assert {name: c.pid for name, c in other.status().items()} == other_pids
    assert subprocess.run(["curl", "-sf", other.url("/bytes/10")],
                          stdout=subprocess.DEVNULL).returncode == 0


def test_a_second_boot_of_the_same_instance_is_refused(system):
    before = system.processes()
    refused = system.try_prctl("boot")
    assert refused.returncode != 0
    assert len(refused.stdout.splitlines()) == 1
    assert system.name in refused.stdout
    assert system.processes() == before


def test_an_instance_can_be_booted_again(system):
    system.shutdown()
    system.boot()
    assert set(system.status()) == COMPONENTS


def test_no_running_instance_is_a_clear_line(tmp_path):
    for command in (["status"], ["shutdown"], ["log", "net"], ["trace"],
                    ["update", "net", "/bin/net.new"], ["mupdate", "net", "/bin/net.new"],
                    ["mupdate-start"], ["mupdate-cancel"]):
        done = subprocess.run([PRCTL, "--instance", "nobody-booted-this", *command], text=True,
                              env={"PROTEOS_RUNTIME_DIR": str(tmp_path)}, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode != 0, command
        assert len(done.stdout.splitlines()) == 1, done.stdout
        assert "nobody-booted-this" in done.stdout


def test_a_missing_executable_is_refused(manifest):
    manifest.component("net")["file"] = "no-such-file"
    output = booting.refused(manifest)
    assert "net" in output and "no-such-file" in output
    assert len(output.splitlines()) == 1


def test_a_wrong_key_is_refused_with_its_line(manifest):
    manifest.component("net")["cals"] = []
    output = booting.refused(manifest)
    text = manifest.text()
    line = text[:text.index("cals")].count("\n") + 1
    assert f"line {line}:" in output and "cals" in output


def test_a_region_that_is_too_small_is_a_clear_line(manifest):
    region = next(r for r in manifest.data["regions"] if r["name"] == "nic0.frames")
    region["bytes"] = 4096
    output = booting.refused(manifest)
    assert "e1000: exited with status 1; its last line: e1000: its init handler refused" in output


def test_a_cycle_of_calls_is_refused_with_its_path(manifest):
    manifest.component("e1000-model")["calls"] = [{"to": "httpd"}]
    output = booting.refused(manifest)
    assert all(name in output for name in ("httpd", "net", "e1000", "e1000-model"))


def test_a_call_to_an_unknown_component_is_refused(manifest):
    manifest.component("net")["calls"] = [{"to": "e1001"}]
    assert "e1001" in booting.refused(manifest)
