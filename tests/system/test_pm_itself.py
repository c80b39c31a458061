"""The process manager's own restarts and updates."""

from __future__ import annotations

import errno

import pytest

from proteos import PATIENCE

from family import CONT, STOP, TERM, begin_wait, code, endpoint, hold, init, look, open_on, shell, stage  # noqa: F401 (fixtures)
from processes import RUNNING, ZOMBIE, Parent, Process, process_stage
from stage import ACTOR


# ---- pm itself ----

def test_an_instance_without_other_servers():
    with process_stage(servers=[]) as made:
        init = Parent(made.actor("init"))
        shell = init.spawn("shell")
        assert shell.spawn_error(ACTOR, "x", cwd=1) == -errno.EBADF
        assert shell.spawn_error(ACTOR, "x", foreground=1) == -errno.EINVAL
        child = shell.spawn("child")
        child.exit(1)
        assert shell.wait()[1] == child.pid


def test_wrong_arguments(stage):
    with pytest.raises(Exception, match="usage: pm"):
        process_stage(pm={"args": ["processes=many"]}).__enter__()


def test_its_restart_ends_all(stage, init, shell):
    child = shell.spawn("child")
    stage.system.kill("pm")
    stage.system.wait(lambda: not set(stage.system.status()) & {"program-1", "program-2"},
                      "the programs' end")
    stage.system.wait(lambda: init.list() == [], "the new pm")
    again = init.spawn("again")
    assert again.endpoint in (shell.endpoint, child.endpoint)


def test_it_is_stopped_and_started_again(stage, init, shell):
    shell.spawn("child")
    stage.system.prctl("stop", "pm")
    stage.system.wait(lambda: not any(c.program for c in stage.system.status().values()),
                      "the programs' end")
    stage.system.prctl("start", "pm")
    assert init.list() == []
    for i in range(6):
        init.spawn(f"again{i}")
    assert init.spawn_error(ACTOR, "more") == -errno.EAGAIN


def test_updates_while_everything_waits(stage, init, shell):
    """Of pm, with every kind of state, also to where everything lies elsewhere."""
    child = shell.spawn("child")
    stopped = shell.spawn("stopped", user=7, gid=8)
    assert init.kill(stopped.pid, STOP) == 0 and init.kill(stopped.pid, TERM) == 0
    zombie = shell.spawn("zombie")
    zombie.exit(9)
    stage.system.wait(lambda: init.state(zombie.pid) == ZOMBIE, "the zombie")
    child.begin_spawn("late", env=["A=1"])
    late = stage.actor("late")
    shell.begin_wait(child.pid)
    for options in ([], ["-relocate"], ["-relocate"]):
        stage.system.update("pm", "self", None, *options)
        stage.system.update("busd", "self")
    begun = Process(late)
    assert begun.begun.env == ["A=1"] and begun.begun.parent == child.pid
    assert child.actor.end_ask()[0] == begun.pid
    child.exit(6)
    assert code(shell.end_wait()[2]) == 6
    assert code(shell.wait(zombie.pid)[2]) == 9
    assert init.kill(stopped.pid, CONT) == 0
    assert code(shell.wait(stopped.pid)[2]) == -TERM
    assert stage.system.status()["pm"].updates == 3


def test_updates_while_processes_come_and_go(stage, init, shell):
    for turn in range(20):
        updater = stage.system.start_prctl("update", ("pm", "busd")[turn % 2], "self")
        alive = True
        while alive:  # at least once, and as often as there is time for
            alive = updater.poll() is None
            child = shell.spawn("child", env=[f"TURN={turn}"])
            assert child.begun.env == [f"TURN={turn}"]
            shell.begin_wait()
            child.exit(turn)
            error, pid, status = shell.end_wait()
            assert (error, pid, code(status)) == (0, child.pid, turn)
        output, _ = updater.communicate(timeout=PATIENCE)
        assert updater.returncode == 0, output
    pm = stage.system.status()["pm"]
    assert (pm.updates, pm.restarts, stage.system.instance().busd_updates) == (10, 0, 10)


def test_an_update_while_handles_are_made(stage, init, shell):
    console, terminal = open_on(shell, "tty")
    hold(init, "tty", True)
    shell.begin_spawn("child", env=["A=1"], fds=[(3, endpoint(init, "tty"), console, 4)] * 2)
    stage.system.wait(lambda: hold(init, "tty", True) == 1, "the request")
    for _ in range(2):
        stage.system.update("pm", "self", None, "-relocate")
        stage.system.update("busd", "self", None, "-relocate")
    hold(init, "tty", False)
    child = Process(stage.actor("child"))
    assert shell.actor.end_ask()[0] == child.pid
    assert [look(init, "tty", child.endpoint, fd[2])[1] for fd in child.begun.fds] == [terminal] * 2


def test_all_components_are_updated_and_no_program(stage, init, shell):
    """prctl update --all leaves programs alone; the actor that is a component cannot be updated."""
    asked = stage.system.try_prctl("update", "--all", "self", "-timeout", "load=500")
    assert "program" not in asked.stdout and "pm" in asked.stdout


def test_it_is_recovered_with_its_table():
    """A crash with recover: state: what has happened meanwhile is found out."""
    with process_stage(pm={"recover": "state"}) as made:
        init = Parent(made.actor("init"))
        shell = init.spawn("shell")
        child, other = shell.spawn("child"), shell.spawn("other")
        begin_wait(made, shell, child.pid)
        made.system.suspend("pm")
        child.exit(5)
        made.system.wait(lambda: "program-2" not in made.system.status(), "its end")
        made.system.kill("pm")
        made.system.wait(lambda: made.system.status()["pm"].recovered == 1, "the recovery")
        error, pid, status = shell.end_wait()
        assert (error, pid, code(status)) == (0, child.pid, 5)
        assert [i.pid for i in init.list()] == [shell.pid, other.pid]
        other.exit(6)
        assert code(shell.wait()[2]) == 6


def test_it_is_taken_back_within_its_probation(stage, init, shell):
    """What the failed version has done and the old one does not know is put in order."""
    child, zombie = shell.spawn("child"), shell.spawn("zombie")
    stage.system.update("pm", "self", None, "-probation", "60000")
    unknown = shell.spawn("unknown")
    zombie.exit(3)
    assert shell.wait()[1] == zombie.pid
    child.exit(4)
    stage.system.wait(lambda: init.state(child.pid) == ZOMBIE, "the zombie")
    stage.system.kill("pm")
    stage.system.wait(lambda: "old version takes over" in stage.system.log("instance"), "the old one")
    stage.system.wait(lambda: {i.pid: i.state for i in init.list()} ==
                      {shell.pid: RUNNING, child.pid: ZOMBIE, zombie.pid: ZOMBIE}, "order")
    stage.system.wait(lambda: f"program-{unknown.endpoint}" not in stage.system.status(),
                      "the end of one that is not known")
    assert shell.spawn("again").begun.parent == shell.pid


def taken_back(stage) -> None:
    """pm's new version dies, and the old one knows what became of everybody."""
    stage.system.kill("pm")
    stage.system.wait(lambda: "old version takes over" in stage.system.log("instance"), "the old one")


def test_one_that_begins_within_a_probation_is_adopted(stage, init, shell):
    shell.begin_spawn("child", env=["A=1"])
    actor = stage.actor("child")
    stage.system.update("pm", "self", None, "-probation", "60000")
    child = Process(actor)
    assert child.begun.env == ["A=1"] and shell.actor.end_ask()[0] == child.pid
    taken_back(stage)
    stage.system.wait(lambda: init.state(child.pid) == RUNNING, "the child to be known")
    assert child.kill(shell.pid, 0) == 0
    child.exit(6)
    error, pid, status = shell.wait()
    assert (error, pid, code(status)) == (0, child.pid, 6)


def test_one_that_gets_its_handles_and_begins_within_a_probation_is_adopted(stage, init, shell):
    console, terminal = open_on(shell, "tty")
    hold(init, "tty", True)
    shell.begin_spawn("child", fds=[(3, endpoint(init, "tty"), console, 4)])
    stage.system.wait(lambda: hold(init, "tty", True) == 1, "the request")
    stage.system.update("pm", "self", None, "-probation", "60000")
    hold(init, "tty", False)
    child = Process(stage.actor("child"))
    assert shell.actor.end_ask()[0] == child.pid
    taken_back(stage)
    stage.system.wait(lambda: init.state(child.pid) == RUNNING, "the child to be known")
    assert look(init, "tty", child.endpoint, child.begun.fds[0][2])[1] == terminal
    child.exit(6)
    assert code(shell.wait(child.pid)[2]) == 6


def test_one_that_ends_right_after_it_has_begun_is_waited_for(stage, init, shell):
    """The old version hears of its beginning and of its end at the same time."""
    shell.begin_spawn("child")
    actor = stage.actor("child")
    stage.system.update("pm", "self", None, "-probation", "60000")
    child = Process(actor)
    assert shell.actor.end_ask()[0] == child.pid
    stage.system.suspend("pm")
    child.exit(6)
    stage.system.wait(lambda: "program-2" not in stage.system.status(), "its end")
    taken_back(stage)
    assert code(shell.wait(child.pid)[2]) == 6


def test_one_that_has_yet_to_begin_when_a_probation_fails(stage, init, shell):
    shell.begin_spawn("child")
    actor = stage.actor("child")
    stage.system.update("pm", "self", None, "-probation", "60000")
    taken_back(stage)
    child = Process(actor)
    assert shell.actor.end_ask()[0] == child.pid
    assert init.state(child.pid) == RUNNING
