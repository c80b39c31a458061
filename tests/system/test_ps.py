"""prctl ps."""

from __future__ import annotations

import json
import signal

from asking import dies_while_it_is_asked
from processes import Parent, process_stage
from proteos import Manifest, System
from proteos.control import pb
from stage import Stage


def lines(stage: Stage) -> list[list[str]]:
    head, *rest = stage.system.prctl("ps").splitlines()
    assert head.split() == ["PID", "PPID", "GROUP", "USER", "STATE", "CPU", "NAME"]
    return [line.split() for line in rest]


def test_processes_are_shown():
    with process_stage() as stage:
        init = Parent(stage.actor("init"))
        assert lines(stage) == []
        assert json.loads(stage.system.prctl("ps", "--json")) == []
        shell = init.spawn("shell", group=0)
        child = shell.spawn("child", user=7, gid=8, group=0)
        zombie = shell.spawn("zombie")
        init.kill(child.pid, signal.SIGSTOP)
        zombie.exit(0)
        stage.system.wait(lambda: lines(stage)[2][4] == "zombie", "the zombie")
        shown = lines(stage)
        pids = [str(p.pid) for p in (shell, child, zombie)]
        assert [line[:5] for line in shown] == [
            [pids[0], "1", pids[0], "0", "running"], [pids[1], pids[0], pids[1], "7", "stopped"],
            [pids[2], pids[0], pids[0], "0", "zombie"]]
        assert {line[6] for line in shown} == {"actor"}
        shell.begin_spawn("mute")
        stage.system.wait(lambda: len(lines(stage)) == 4, "the new one")
        assert lines(stage)[3][4] == "starting"
        told = json.loads(stage.system.prctl("ps", "--json"))
        assert [p["pid"] for p in told][:3] == [shell.pid, child.pid, zombie.pid]
        assert told[1]["gid"] == 8 and told[1]["endpoint"] == child.endpoint
        assert told[2]["endpoint"] == 0


def test_more_than_one_reply_takes():
    with process_stage() as stage:
        init = Parent(stage.actor("init"))
        shell = init.spawn("shell")
        children = []
        for i in range(70):
            child = shell.spawn(f"c{i}")
            child.exit(0)
            children.append(child.pid)
            stage.system.wait(lambda: len(stage.system.status()) == 8, "its place")
        assert [int(line[0]) for line in lines(stage)] == [shell.pid, *children]
        assert len(json.loads(stage.system.prctl("ps", "--json"))) == 71


def test_without_a_process_manager():
    with System(Manifest.empty()) as system:
        refused = system.try_prctl("ps")
        assert refused.returncode == 1
        assert "has no process manager" in refused.stdout
        assert system.try_prctl("ps", "-x").returncode == 2


def test_it_is_stopped_or_dies():
    with process_stage() as stage:
        dies_while_it_is_asked(stage.system, "pm", processes=pb.ProcessesRequest())
        stage.system.wait_for_restart("pm")
        stage.system.prctl("stop", "pm")
        refused = stage.system.try_prctl("ps")
        assert refused.returncode == 1 and "is not running" in refused.stdout


def test_it_is_updated_meanwhile():
    with process_stage() as stage:
        init = Parent(stage.actor("init"))
        shell = init.spawn("shell")
        stage.system.update("pm", "self")
        stage.system.update("busd", "self")
        assert lines(stage)[0][0] == str(shell.pid)
