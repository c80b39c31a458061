"""Programs that a component starts while the system runs (bus/abi_programs.h)."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator

import pytest

from proteos import Manifest
from proteos.build import COMPONENTS
from test_signed import Signer
from spawner import Spawner
from stage import (ACTOR, ENDED, EXITED, PLACES, SIGNAL, SPAWN, START, STARTED, TAKEN, USAGE,
                   Stage)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(Manifest.empty(timeouts_ms={"stop": 60_000}))
    made.add("spawner", kernel=["processes"]).add("bystander")
    made.programs(by="spawner", at_most=3, calls=["bystander"])
    with made:
        yield made


@pytest.fixture
def spawner(stage: Stage) -> Spawner:
    return Spawner(stage.actor("spawner"))


def test_a_program_lives_and_ends(stage, spawner):
    place = spawner.start("one")
    one = stage.actor("one")
    assert int(one.do("self")) == place[0]
    assert one.do("arguments") == "one"
    assert spawner.places() == [(*place, STARTED)]
    one.begin("exit 7")
    ended = spawner.ended()
    assert (ended[0], ended[1]) == place
    assert os.waitstatus_to_exitcode(ended[2]) == 7
    assert ended.payload == b""
    assert spawner.places() == [(*place, ENDED)]
    assert spawner.reap(place) == 0
    assert spawner.places() == []


def test_a_place_is_used_again(stage, spawner):
    for turn in range(5):
        place = spawner.start(f"turn{turn}")
        assert place[1] == turn + 1
        stage.actor(f"turn{turn}").begin("exit 0")
        ended = spawner.ended()
        assert (ended[0], ended[1]) == place
        assert spawner.reap(place) == 0


def test_no_place_is_left(stage, spawner):
    places = [spawner.start(f"p{i}") for i in range(3)]
    assert spawner.take(ACTOR, "more").error == -errno.EAGAIN
    stage.actor("p1").begin("abort")
    ended = spawner.ended()
    assert (ended[0], ended[1]) == places[1]
    assert os.waitstatus_to_exitcode(ended[2]) == -signal.SIGABRT
    assert spawner.take(ACTOR, "more").error == -errno.EAGAIN, "it has not been reaped"
    assert spawner.reap(places[1]) == 0
    assert spawner.take(ACTOR, "more").error == 0


def test_what_cannot_be_started(stage, spawner, tmp_path):
    errors = {("nothing", "x"): errno.ENOENT, ("../bin/actor", "x"): errno.EACCES,
              ("bin/../../system.yaml", "x"): errno.EACCES, ("/", "x"): errno.EACCES,
              ("bin/nothing", "x"): errno.ENOENT, ("actor",): errno.EINVAL,
              ("um", "x"): errno.EPERM, ("actor", "x" * 17_000): errno.E2BIG,
              ("actor", *["x"] * 1100): errno.E2BIG, ("bin/actor/x", "x"): errno.ENOTDIR}
    for strings, error in errors.items():
        assert spawner.take(*strings).error == -error, strings
    assert spawner.actor.kernel(SPAWN, payload=b"actor\0x").error == -errno.EINVAL
    assert spawner.actor.kernel(SPAWN).error == -errno.EINVAL
    assert spawner.places() == []
    assert "um needs" in stage.system.log("instance")


def test_only_the_spawner_may(stage, spawner):
    place = spawner.start("one")
    for name in ("bystander", "one"):
        other = stage.actor(name)
        assert other.kernel(SPAWN, payload=b"actor\0x\0").error == -errno.EPERM
        assert other.kernel(PLACES).error == -errno.EPERM
        assert other.kernel(SIGNAL, *place, signal.SIGKILL).error == -errno.EPERM


def test_another_life_is_not_meant(stage, spawner):
    place = spawner.start("one")
    for wrong in ((place[0], place[1] + 1), (1, 1), (place[0] + 1, 1), (99, 1), (-1, 1), (0, 0)):
        assert spawner.signal(wrong, signal.SIGKILL) == -errno.ESRCH
        assert spawner.reap(wrong) == -errno.ESRCH
        assert spawner.actor.kernel(START, *wrong).error == -errno.ESRCH
        assert spawner.actor.kernel(USAGE, *wrong).error == -errno.ESRCH
    assert spawner.reap(place) == -errno.EBUSY
    assert spawner.actor.kernel(START, *place).error == -errno.EBUSY
    assert spawner.signal(place, signal.SIGTERM) == -errno.EINVAL
    assert spawner.signal(place, signal.SIGKILL) == 0
    assert os.waitstatus_to_exitcode(spawner.ended()[2]) == -signal.SIGKILL
    assert spawner.signal(place, signal.SIGKILL) == -errno.ESRCH
    assert spawner.actor.kernel(USAGE, *place).error == -errno.ESRCH


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def pid_of(stage: Stage, number: int = 1) -> int:
    return stage.system.status()[f"program-{number}"].pid


def test_stopped_and_continued(stage, spawner):
    place = spawner.start("one")
    one = stage.actor("one")
    pid = pid_of(stage)
    for signum in (signal.SIGSTOP, signal.SIGSTOP):
        assert spawner.signal(place, signum) == 0
    stage.system.wait(lambda: state_of(pid) == "T", "the stop")
    one.begin("print on")
    assert spawner.signal(place, signal.SIGCONT) == 0
    assert one.end() == ""
    assert spawner.signal(place, signal.SIGSTOP) == 0
    assert spawner.signal(place, signal.SIGKILL) == 0
    assert os.waitstatus_to_exitcode(spawner.ended()[2]) == -signal.SIGKILL


@pytest.mark.parametrize("signum", [signal.SIGSTOP, signal.SIGTSTP])
def test_what_prctl_stops_only_prctl_lets_go_on(stage, spawner, signum):
    """And the other way round."""
    place = spawner.start("one")
    one = stage.actor("one")
    pid = pid_of(stage)
    stage.system.prctl("kill", "program-1", signum.name)
    stage.system.wait(lambda: state_of(pid) == "T", "the stop")
    one.begin("print on")
    assert spawner.signal(place, signal.SIGSTOP) == 0
    stage.system.prctl("kill", "program-1", "CONT")
    assert spawner.signal(place, signal.SIGSTOP) == 0  # it is done with the signal before
    assert state_of(pid) == "T"
    stage.system.prctl("kill", "program-1", signum.name)
    assert spawner.signal(place, signal.SIGCONT) == 0
    assert spawner.signal(place, signal.SIGCONT) == 0
    assert state_of(pid) == "T" and one.waits()
    stage.system.prctl("kill", "program-1", "CONT")
    assert one.end() == ""
    stage.system.prctl("kill", "program-1", signum.name)
    stage.system.update("busd", "self")
    stage.system.wait(lambda: state_of(pid) == "T", "the stop")
    one.begin("print on")
    stage.system.prctl("kill", "program-1", "CONT")
    assert one.end() == ""


def test_its_time_is_told(stage, spawner):
    place = spawner.start("one")
    stage.actor("one").begin("spin")

    def used() -> int:
        body = spawner.actor.kernel(USAGE, *place).body
        return int.from_bytes(body[:8], "little")

    stage.system.wait(lambda: used() > 30_000, "30 ms of CPU time")
    assert spawner.signal(place, signal.SIGKILL) == 0


def test_peers_are_told_of_the_end_before_the_next_life(stage, spawner):
    bystander = stage.actor("bystander")
    place = spawner.start("one")
    stage.actor("one").begin("exit 0")
    spawner.ended()
    assert spawner.reap(place) == 0
    assert spawner.start("two")[0] == place[0]
    two = stage.actor("two")
    assert two.do("call bystander 900 00") == "0"
    news = bystander.receive()
    assert (news.type, news[0]) == (EXITED, place[0])
    assert bystander.receive().type == 0x900


def test_peers_are_told_of_one_that_never_came(stage, spawner):
    """Servers may have been asked to give it something."""
    bystander = stage.actor("bystander")
    taken = spawner.take(ACTOR, "one")
    place = taken[0], taken[1]
    assert spawner.places() == [(*place, TAKEN)]
    assert spawner.signal(place, signal.SIGKILL) == -errno.ESRCH
    assert spawner.reap(place) == 0
    news = bystander.receive()
    assert (news.type, news[0]) == (EXITED, place[0])


def test_an_executable_that_cannot_be_run(tmp_path):
    """It is read when its place is taken, and turns out to be no program of this machine later."""
    made = Stage().add("spawner", kernel=["processes"]).programs(by="spawner")
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    for name in ("um", "actor", "director"):
        shutil.copy(COMPONENTS / name, root / "bin")
    for name, content, mode in (("text", b"#!/bin/sh\n", 0o755),
                                ("broken", b"\x7fELF" + bytes(200), 0o755),
                                ("secret", b"\x7fELF" + bytes(200), 0o600)):
        (root / "bin" / name).write_bytes(content)
        (root / "bin" / name).chmod(mode)
    (root / "bin" / "outside").symlink_to("/bin/true")
    made.manifest.data["root"] = str(root)
    with made:
        spawner = Spawner(made.actor("spawner"))
        assert spawner.take("text", "x").error == -errno.ENOEXEC
        assert spawner.take("secret", "x").error == -errno.EACCES
        assert spawner.take("outside", "x").error == -errno.EACCES
        assert spawner.take("bin", "x").error == -errno.ENOENT
        taken = spawner.take("broken", "x")
        assert taken.error == 0
        assert spawner.actor.kernel(START, taken[0], taken[1]).error == 0
        ended = spawner.ended()
        assert b"Exec format error" in ended.payload


def test_its_output_goes_to_the_log_of_its_place(stage, spawner):
    spawner.start("one")
    stage.actor("one").do("print hello")
    stage.system.wait(lambda: "hello\n" in stage.system.log("program-1"), "the log")
    assert stage.system.log("program-2") == ""


def test_it_is_confined(stage, spawner):
    """As a component is: what this one is, it is."""
    def confinement(name: str) -> list[str]:
        status = Path(f"/proc/{stage.system.status()[name].pid}/status").read_text().splitlines()
        return [line for line in status if line.split(":")[0] in
                ("NoNewPrivs", "Seccomp", "Seccomp_filters", "CapEff", "SigIgn")]

    spawner.start("one")
    stage.actor("one")
    assert confinement("program-1") == confinement("bystander")
    assert "NoNewPrivs:\t1" in confinement("program-1")
    assert "Seccomp:\t2" in confinement("program-1")


def test_it_cannot_reach_what_the_manifest_does_not_give(stage, spawner):
    spawner.start("one")
    one = stage.actor("one")
    assert int(one.do("lookup spawner")) < 0
    assert one.ask("um", 0x900).error != 0
    assert int(one.do("lookup bystander")) > 0


def test_people_do_not_see_unused_places(stage, spawner):
    components = {"um", "director", "spawner", "bystander"}
    assert set(stage.system.status()) == components
    place = spawner.start("one")
    assert set(stage.system.status()) == components | {"program-1"}
    assert stage.system.status()["program-1"].program
    refused = stage.system.try_prctl("stop", "program-1")
    assert refused.returncode == 1 and "place for programs" in refused.stdout
    assert stage.system.try_prctl("start", "program-2").returncode == 1
    stage.system.kill("program-1")
    assert os.waitstatus_to_exitcode(spawner.ended()[2]) == -signal.SIGKILL
    assert set(stage.system.status()) == components
    assert spawner.reap(place) == 0


def test_shutdown_ends_programs_first(stage, spawner):
    for name in ("one", "two"):
        place = spawner.start(name)
    assert spawner.signal(place, signal.SIGSTOP) == 0
    stage.system.shutdown()
    assert "does not end by itself" not in stage.system.log("instance")


def test_the_spawner_restarts_and_finds_its_programs():
    made = Stage().add("spawner", kernel=["processes"], restart="always").programs(by="spawner")
    with made:
        spawner = Spawner(made.actor("spawner"))
        one, two = spawner.start("one"), spawner.start("two")
        made.actor("one"), made.actor("two")
        three = spawner.take(ACTOR, "three")
        spawner.actor.begin("abort")
        spawner = Spawner(made.actor("spawner"))
        assert spawner.places() == [(*one, STARTED), (*two, STARTED), (three[0], three[1], TAKEN)]
        for place in (one, two):
            assert spawner.signal(place, signal.SIGKILL) == 0
            assert spawner.ended()[0] == place[0]
            assert spawner.reap(place) == 0
        assert spawner.reap((three[0], three[1])) == 0
        assert spawner.places() == []


def test_a_death_that_nobody_heard_of():
    made = Stage().add("spawner", kernel=["processes"]).programs(by="spawner")
    with made:
        spawner = Spawner(made.actor("spawner"))
        one = spawner.start("one")
        actor = made.actor("one")
        made.system.prctl("stop", "spawner")
        actor.begin("exit 0")
        made.system.wait(lambda: "program-1" not in made.system.status(), "its end")
        made.system.prctl("start", "spawner")
        spawner = Spawner(made.actor("spawner"))
        assert spawner.places() == [(*one, ENDED)]
        assert spawner.reap(one) == 0


def test_updates_while_programs_run():
    """Of their server, while one waits for its answer, and of the bus."""
    made = Stage().add("spawner", kernel=["processes"])
    made.manifest.add("peer")
    made.programs(by="spawner", calls=["peer"])
    with made:
        spawner = Spawner(made.actor("spawner"))
        place = spawner.start("one")
        spawner.start("two")
        one, two = made.actor("one"), made.actor("two")
        assert spawner.signal(place, signal.SIGSTOP) == 0
        assert spawner.signal(place, signal.SIGCONT) == 0
        one.begin_ask("peer", 0xe01)
        for _ in range(3):
            made.system.update("peer", "self")
            made.system.update("busd", "self")
            assert two.ask("peer", 0xe00, payload=b"hello").payload == b"hello"
            made.system.mupdate("um", "self")
            made.system.mupdate("director", "self")
            made.system.mupdate("busd", "self")
            made.system.mupdate_start()
        assert one.waits()
        assert two.ask("peer", 0xe02).error == 0
        assert one.end_ask().error == 0
        assert made.system.try_prctl("update", "program-1", "/bin/actor").returncode != 0
        one.begin("exit 3")
        assert os.waitstatus_to_exitcode(spawner.ended()[2]) == 3
        assert spawner.reap(place) == 0
        spawner.start("three")
        made.actor("three")
        assert made.system.instance().busd_updates == 6


def test_while_the_instance_boots(tmp_path):
    """It waits for a wire, and programs come and go."""
    made = Stage().add("spawner", kernel=["processes"]).programs(by="spawner")
    made.manifest.add("slow", file="peer")
    made.manifest.data["wires"].append({"name": "slow", "kind": "stream", "to": "slow",
                                        "path": str(tmp_path / "slow"), "listen": True})
    with ThreadPoolExecutor() as pool:
        booting = pool.submit(made.__enter__)
        spawner = Spawner(made.actor("spawner"))
        place = spawner.start("one")
        made.actor("one").begin("exit 0")
        assert spawner.ended()[0] == place[0]
        assert spawner.reap(place) == 0
        spawner.start("two")
        two = made.actor("two")
        assert not booting.done()
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(tmp_path / "slow"))
            booting.result()
            assert two.do("arguments") == "two"
            assert made.system.instance().state == "running"
            assert "all 4 components are ready" in made.system.log("instance")
            made.__exit__(None, None, None)


def test_signed_programs_only(tmp_path):
    made = Stage().add("spawner", kernel=["processes"]).programs(by="spawner")
    signer = Signer(tmp_path, ["um", "actor", "director"])
    for name in ("plain", "forged"):
        shutil.copy(COMPONENTS / "actor", signer.bin / name)
    (signer.bin / "forged.sig").write_bytes(bytes(64))
    signer.manifest(made.manifest)
    with made:
        spawner = Spawner(made.actor("spawner"))
        assert spawner.take("plain", "x").error == -errno.EACCES
        assert spawner.take("forged", "x").error == -errno.EACCES
        spawner.start("one")
        made.actor("one")
        log = made.system.log("instance")
        assert "plain is not signed" in log and "forged.sig is no signature" in log


def test_reload_leaves_programs_alone(stage, spawner):
    place = spawner.start("one")
    one = stage.actor("one")
    manifest = stage.manifest.copy().add("peer")
    path = stage.system.directory / "other.yaml"
    manifest.write(path)
    assert "peer added" in stage.system.prctl("reload", str(path))
    manifest.data["programs"].update({"at-most": 2})
    manifest.write(path)
    refused = stage.system.try_prctl("reload", str(path))
    assert refused.returncode == 1
    assert "programs: at-most cannot change: the instance runs" in refused.stdout
    del manifest.data["programs"]
    manifest.component("spawner").pop("kernel")
    manifest.write(path)
    assert "programs: by cannot change" in stage.system.try_prctl("reload", str(path)).stdout
    one.begin("exit 0")
    spawner.ended()
    assert spawner.reap(place) == 0
    for name in ("two", "three", "four"):
        spawner.start(name)
        stage.actor(name)


def test_check_counts_programs(stage, tmp_path):
    path = tmp_path / "system.yaml"
    stage.manifest.write(path)
    checked = stage.system.prctl("check", str(path))
    assert "ok, 4 components, 3 programs at most" in checked
    assert "program-1" not in checked
