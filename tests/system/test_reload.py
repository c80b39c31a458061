"""prctl reload: changes of the manifest, checked whole and applied all together or not at all."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Iterator

import pytest

from proteos import Manifest, ProteosError, System, control
from proteos.control import pb
from updating import converging

NEVER_TRUE = "num_busy == 123456"


def small() -> Manifest:
    manifest = Manifest.empty(regions=[{"name": "shared", "bytes": 4096, "share": ["counter"]}],
                              timeouts_ms={"stop": 60_000})
    manifest.add("counter", restart="always")
    return manifest.add("asker", calls=[{"to": "counter"}])


@pytest.fixture
def running() -> Iterator[System]:
    with System(small()) as system:
        yield system


def write(system: System, manifest: Manifest) -> Path:
    path = system.directory / "system.yaml"
    manifest.write(path)
    return path


def reload(system: System, manifest: Manifest) -> list[str]:
    """Changes the manifest that the instance runs by, and reloads it; what prctl says."""
    write(system, manifest)
    return system.prctl("reload").splitlines()


def refused(system: System, manifest: Manifest) -> list[str]:
    write(system, manifest)
    done = system.try_prctl("reload")
    assert done.returncode == 1, done.stdout
    return done.stdout.splitlines()


def endpoints(system: System) -> dict[str, int]:
    return {name: c.endpoint for name, c in system.status().items()}


def command(system: System, component: str) -> list[str]:
    pid = system.status()[component].pid
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]


def test_more_problems_than_can_be_said(running):
    """prctl would find them itself; busd says as many as it can send, and that there are more."""
    manifest = small()
    manifest.component("asker")["calls"] = [{"to": f"x{i}" + 900 * "y"} for i in range(250)]
    path = write(running, manifest)
    request = pb.ControlRequest(reload=pb.ReloadRequest(manifest=str(path)))
    (reply,) = control.request(running.socket, request)
    *problems, more = reply.text.splitlines()
    assert reply.last and reply.status != 0
    assert 150 < len(problems) < 250
    assert all(line.endswith("which is not declared") for line in problems)
    assert re.fullmatch(r"\(and \d+ bytes more\)", more)
    assert reload(running, small()) == ["nothing has changed"]


def test_nothing_has_changed(running):
    assert reload(running, small()) == ["nothing has changed"]


def test_another_file(running, tmp_path):
    """It is the instance's manifest from then on."""
    path = tmp_path / "other.yaml"
    small().write(path)
    assert running.prctl("reload", str(path)) == "nothing has changed\n"
    assert running.instance().manifest == str(path)


# ---- what changes at once ----

def test_restart_policy(running):
    manifest = small()
    manifest.component("counter")["restart"] = "never"
    assert reload(running, manifest) == ["counter: restart changed"]
    running.kill("counter")
    running.wait(lambda: running.status()["counter"].state == "dead", "its death")
    assert running.status()["counter"].restarts == 0


def test_time_outs_of_updates(running):
    manifest = small()
    manifest.data["timeouts_ms"]["converge"] = 321
    assert reload(running, manifest) == ["timeouts_ms: converge changed"]
    assert "within 321 ms" in running.try_prctl("update", "counter", "/bin/counter.new", "-state",
                                                NEVER_TRUE).stdout
    running.update("counter", "/bin/counter.new", None, "-timeout", "60000")


def test_edges_of_a_running_component():
    """It learns of a new edge when it needs it; one that is gone is refused by the bus."""
    without = Manifest.empty().add("mortal", "peer").add("prober", args=["edges"])
    with_edge = without.copy()
    with_edge.component("prober")["calls"] = [{"to": "mortal"}]
    with System(without) as system:
        system.wait(lambda: "prober: mortal: ENOENT" in system.log("prober"), "the prober")
        assert reload(system, with_edge) == ["prober: calls changed"]
        system.wait(lambda: "prober: mortal: OK" in system.log("prober"), "the new edge")
        assert reload(system, without) == ["prober: calls changed"]
        system.wait(lambda: "prober: mortal: EPERM" in system.log("prober"), "its end")
        assert system.status()["prober"].restarts == 0


def test_deadlines_of_a_running_component():
    manifest = Manifest.empty().add("peer")
    manifest.add("prober", args=["deadlines"], calls=[{"to": "peer"}])
    with System(manifest) as system:
        manifest.component("prober")["calls"][0]["deadline_ms"] = 100
        assert reload(system, manifest) == ["prober: calls changed"]
        asked = system.status()["peer"].messages
        system.wait(lambda: system.status()["peer"].messages > asked + 1, "a new question")
        system.suspend("peer")
        system.wait(lambda: "prober: echo: ETIMEDOUT" in system.log("prober"), "the deadline")
        system.resume("peer")


def test_heartbeat_of_a_running_component():
    """It ends one that hangs already; without one nobody is ended."""
    manifest = Manifest.empty().add("peer")
    manifest.add("prober", args=["hang"], calls=[{"to": "peer", "deadline_ms": 200}])
    with System(manifest) as system:
        system.wait(lambda: "sendrec to one that hangs: ETIMEDOUT" in system.log("prober"),
                    "the peer to hang")
        manifest.component("peer")["heartbeat_ms"] = 400
        assert reload(system, manifest) == ["peer: heartbeat_ms changed"]
        system.wait_for_restart("peer")
        del manifest.component("peer")["heartbeat_ms"]
        assert reload(system, manifest) == ["peer: heartbeat_ms changed"]
        system.wait(lambda: system.status()["peer"].state == "running", "it to run")
        hung = system.status()["peer"].hung  # on a slow machine more than once
        assert hung >= 1
        system.suspend("peer")
        time.sleep(3 * 0.4)
        system.resume("peer")
        assert system.status()["peer"].hung == hung
        assert system.status()["peer"].state == "running"


# ---- what changes later ----

def test_arguments(running):
    """A restart and an update take them; a component that goes on does not."""
    manifest = small()
    manifest.component("counter").update(args=["new"], cpu="other", syscalls=["flock"])
    assert reload(running, manifest) == [
        "counter: args changed, for its next start or update",
        "counter: cpu changed, for its next start or update",
        "counter: syscalls changed, for its next start or update"]
    assert command(running, "counter") == ["counter"]
    running.update("counter", "/bin/counter.new")
    assert command(running, "counter") == ["counter", "new"]
    manifest.component("counter")["args"] = ["newer"]
    reload(running, manifest)
    running.prctl("stop", "counter")
    running.prctl("start", "counter")
    assert command(running, "counter") == ["counter", "newer"]


def test_executable(running):
    manifest = small()
    manifest.component("asker")["file"] = "peer"
    assert reload(running, manifest) == ["asker: file changed, for its next start"]
    assert running.status()["asker"].path.endswith("/asker")
    running.prctl("stop", "asker")
    running.prctl("start", "asker")
    assert running.status()["asker"].path.endswith("/peer")


@pytest.mark.parametrize("calls_max", [20, 3])
def test_calls_in_flight(calls_max):
    manifest = Manifest.empty().add("peer")
    manifest.add("prober", args=["calls"], calls=[{"to": "peer"}])
    with System(manifest) as system:
        system.wait(lambda: "calls in flight: 16" in system.log("prober"), "its calls")
        manifest.component("prober")["calls_max"] = calls_max
        assert reload(system, manifest) == ["prober: calls_max changed, for its next start"]
        system.prctl("stop", "prober")
        system.prctl("start", "prober")
        system.wait(lambda: f"calls in flight: {calls_max}" in system.log("prober"), "its calls")


# ---- components that come and go ----

def test_components_are_added_callees_first(running):
    before = endpoints(running)
    manifest = small()
    manifest.add("asker2", "asker", calls=[{"to": "counter2"}, {"to": "counter"}])
    manifest.add("counter2", "counter")
    # In front of all others, whose endpoints stay.
    manifest.data["components"].insert(0, manifest.data["components"].pop())
    assert reload(running, manifest) == ["counter2 added", "asker2 added",
                                         "counter2 is running", "asker2 is running"]
    after = endpoints(running)
    assert {name: after[name] for name in before} == before
    assert sorted(after.values()) == list(range(1, 6))
    running.wait(lambda: running.status()["asker2"].messages > 10, "its answers")
    running.update("asker2", "/bin/asker")


def test_component_is_removed_and_comes_back(running):
    before = endpoints(running)
    manifest = small()
    manifest.data["components"] = [c for c in manifest.data["components"] if c["name"] != "asker"]
    pid = running.status()["asker"].pid
    assert reload(running, manifest) == ["asker removed", "asker is stopped"]
    assert not Path(f"/proc/{pid}").exists()
    assert endpoints(running) == {n: e for n, e in before.items() if n != "asker"}
    assert "there is no component 'asker'" in running.try_prctl("start", "asker").stdout
    assert "no component of that name" in running.try_prctl("update", "asker", "/bin/asker").stdout
    assert reload(running, small()) == ["asker added", "asker is running"]
    assert endpoints(running) == before
    log = running.log("asker")
    assert "exited with status 0" in log and "restarted" in log


def test_the_bus_is_updated_after_a_reload(running):
    before = endpoints(running)
    running.prctl("stop", "asker")
    manifest = small().add("peer")
    manifest.data["components"] = [c for c in manifest.data["components"] if c["name"] != "counter"]
    manifest.data["regions"] = []
    manifest.component("asker")["calls"] = []
    for wanted in (manifest, small().add("peer")):
        reload(running, wanted)
        running.prctl("update", "busd", "self")
    assert running.status()["asker"].state == "stopped"
    running.prctl("start", "asker")
    running.wait(lambda: running.status()["asker"].messages > 10, "the asker's answers")
    assert {name: endpoints(running)[name] for name in before} == before


def test_peers_of_a_removed_component():
    manifest = Manifest.empty().add("peer").add("mortal", "peer")
    manifest.add("prober", args=["stopped"], calls=[{"to": "peer"}, {"to": "mortal"}])
    with System(manifest) as system:
        system.wait(lambda: "prober: waits" in system.log("prober"), "the prober")
        manifest.component("prober")["calls"] = [{"to": "peer"}]
        manifest.data["components"] = [c for c in manifest.data["components"]
                                       if c["name"] != "mortal"]
        reload(system, manifest)
        system.wait(lambda: "prober: done" in system.log("prober"), "the prober's end")
        log = system.log("prober")
        assert "prober: call pending at the stopped: EDEADSRCDST" in log
        assert "prober: told of the stop: OK" in log


def test_component_that_does_not_start(running):
    """The change is made; that a component of it fails is told."""
    manifest = small().add("wrong", "/usr/bin/false")
    write(running, manifest)
    done = running.try_prctl("reload")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "wrong added"
    assert lines[1].startswith("wrong did not start: ")
    assert "wrong" in running.status()


def test_regions_come_and_go_with_components(running):
    manifest = small().add("counter2", "counter")
    manifest.data["regions"].append({"name": "new", "bytes": 8192, "share": ["counter2"]})
    manifest.data["regions"][0]["share"].append("counter2")
    assert reload(running, manifest) == ["counter2 added", "region shared: share changed",
                                         "region new added", "counter2 is running"]
    manifest = small().add("counter2", "counter")
    assert refused(running, manifest) == [  # the component would stay
        "region shared: share cannot change: it is in use",
        "region new cannot be removed: it is in use"]
    assert reload(running, small()) == ["counter2 removed", "region shared: share changed",
                                        "region new removed", "counter2 is stopped"]


def test_under_load(system, load):
    manifest = Manifest()
    manifest.add("counter").add("asker", calls=[{"to": "counter"}])
    path = system.directory / "more.yaml"
    manifest.write(path)
    for _ in range(3):
        assert "counter is running" in system.prctl("reload", str(path))
        system.update("net", "/bin/net.new")
        path_before = system.directory / "before.yaml"
        Manifest().write(path_before)
        assert "counter is stopped" in system.prctl("reload", str(path_before))
        load.mark()
        load.wait_until_busy()


# ---- what is refused ----

def change_sandbox(m): m.data["sandbox"] = "none"
def change_cpu(m): m.data["cpu"] = 0
def change_bytes(m): m.data["regions"][0]["bytes"] = 8192
def remove_region(m): m.data["regions"] = []
def remove_um(m): m.data["components"].pop(0)
def add_wire(m): m.data["wires"] = [{"name": "w", "kind": "slirp", "to": "counter"}]


@pytest.mark.parametrize("change, says", [
    (change_sandbox, ["sandbox cannot change: the instance runs"]),
    (change_cpu, ["cpu cannot change: the instance runs"]),
    (change_bytes, ["region shared: bytes cannot change: it is in use"]),
    (remove_region, ["region shared cannot be removed: it is in use"]),
    (remove_um, ["um cannot be removed: it is the update manager"]),
    (add_wire, ["wire w cannot be added: the instance runs"]),
], ids=lambda value: getattr(value, "__name__", ""))
def test_refusal_changes_nothing(running, change, says):
    before = {name: (c.pid, c.endpoint) for name, c in running.status().items()}
    manifest = small().add("counter2", "counter")  # which could be added
    manifest.component("counter")["restart"] = "never"
    change(manifest)
    assert refused(running, manifest) == says
    assert {name: (c.pid, c.endpoint) for name, c in running.status().items()} == before
    running.kill("counter")  # it is still restarted
    running.wait_for_restart("counter")
    assert reload(running, small()) == ["nothing has changed"]


def test_rights_of_a_component():
    """Nobody becomes the update manager of a running instance."""
    manifest = Manifest.empty(components=[]).add("counter")
    with System(manifest) as system:
        manifest.component("counter")["kernel"] = ["update"]
        assert refused(system, manifest) == ["counter: kernel cannot change: the instance runs"]


def test_wires_of_the_default_system(system):
    path = write(system, Manifest().wire(forward="127.0.0.1:0 -> 10.0.2.15:81"))
    done = system.try_prctl("reload", str(path))
    assert done.returncode == 1
    assert done.stdout == "wire nic0: forward cannot change: the instance runs\n"


def test_wrong_manifest(running):
    """Every problem is told, with its line."""
    path = write(running, small().add("peer", colour="red", calls=[{"to": "peer"}]))
    lines = path.read_text().splitlines()
    colour = lines.index("  colour: red") + 1
    assert refused(running, small().add("peer", colour="red", calls=[{"to": "peer"}])) == [
        f"{path}: line {colour}: unknown key 'colour'",
        f"{path}: line {colour + 1}: calls: must not form a cycle: peer -> peer"]


def test_the_bus_checks_for_itself(running, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("components: []\n")
    with pytest.raises(ProteosError, match="no components"):
        running._ask(reload=pb.ReloadRequest(manifest=str(path)))


def test_missing_manifest(running, tmp_path):
    done = running.try_prctl("reload", str(tmp_path / "no.yaml"))
    assert done.returncode == 1
    assert done.stdout == f"prctl: manifest {tmp_path}/no.yaml: No such file or directory\n"


def test_while_a_component_is_updated(running):
    with converging(running, "counter", "/bin/counter.new", NEVER_TRUE):
        assert refused(running, small().add("peer")) == ["counter is being updated"]
    assert "peer is running" in reload(running, small().add("peer"))


def test_more_components_than_endpoints(running):
    manifest = small()
    for n in range(60):
        manifest.add(f"peer{n}", "/bin/true")
    assert len(manifest.data["components"]) == 63
    for component in manifest.data["components"][3:]:
        component["name"] = "other-" + component["name"]
    manifest.data["components"][2]["name"] = "another"
    assert refused(running, manifest) == [
        "there have been 63 components, removed ones included: there can be no more"]


def test_usage(running):
    done = running.try_prctl("reload", "a", "b")
    assert done.returncode == 2
    assert done.stdout == "usage: prctl reload [FILE]\n"
