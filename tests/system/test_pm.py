"""The process manager: processes begin, inherit, have limits, and end."""

from __future__ import annotations

import errno
import signal
import struct

from family import KILLED, TERM, XCPU, begin_wait, code, endpoint, hold, init, look, open_on, shell, stage  # noqa: F401 (fixtures)
from processes import (BEGIN, GET, HOLD, LIMIT_CHILDREN, LIMIT_CPU_S, NO_HANG, RUNNING, SET_LIMIT,
                       SIGNALLED, SIGNALS, SPAWN, STARTING, TAKE, ZOMBIE, Parent, Process, bit,
                       process_stage, spawn_payload)
from stage import ACTOR


# ---- life and death ----

def test_a_process_begins_waits_and_ends(init, shell):
    assert (shell.begun.parent, shell.begun.user, shell.begun.gid) == (1, 0, 0)
    assert shell.begun.group == shell.pid
    child = shell.spawn("child", env=["HOME=/", "TERM=vt100"])
    assert (child.begun.parent, child.begun.group) == (shell.pid, shell.pid)
    assert child.begun.env == ["HOME=/", "TERM=vt100"]
    shell.begin_wait()
    assert shell.actor.waits()
    child.exit(7)
    error, pid, status = shell.end_wait()
    assert (error, pid, code(status)) == (0, child.pid, 7)
    assert shell.wait()[0] == -errno.ECHILD
    assert child.pid > shell.pid > 1


def test_a_zombie_waits_for_its_parent(stage, init, shell):
    child = shell.spawn("child")
    child.actor.begin("abort")
    stage.system.wait(lambda: init.state(child.pid) == ZOMBIE, "the zombie")
    info = init.info(child.pid)
    assert info and info.endpoint == 0 and info.name == ACTOR
    assert stage.system.status().keys() & {"program-2"} == set(), "its place is free"
    error, pid, status = shell.wait(flags=NO_HANG)
    assert (error, pid, code(status)) == (0, child.pid, -signal.SIGABRT)
    assert init.info(child.pid) is None


def test_a_component_waits_for_what_it_started(stage, init, shell):
    begin_wait(stage, init, shell.pid)
    shell.exit(7)
    error, pid, status = init.end_wait()
    assert (error, pid, code(status)) == (0, shell.pid, 7)
    assert init.wait(shell.pid)[0] == -errno.ECHILD
    assert init.wait(999)[0] == -errno.ECHILD


def test_whom_to_wait_for(init, shell):
    one, two = shell.spawn("one"), shell.spawn("two", group=0)
    assert shell.wait(flags=NO_HANG) == (0, 0, 0)
    assert shell.wait(two.pid, NO_HANG) == (0, 0, 0)
    assert shell.wait(999)[0] == -errno.ECHILD
    assert shell.wait(-999)[0] == -errno.ECHILD
    assert shell.wait(-1, 0x80)[0] == -errno.EINVAL
    assert shell.wait(-2**31)[0] == -errno.EINVAL
    assert init.wait()[0] == -errno.ECHILD, "a component names whom it waits for"
    shell.begin_wait(-two.pid)
    one.exit(1)
    two.exit(2)
    assert shell.end_wait()[1] == two.pid
    assert shell.wait(0)[1] == one.pid


def test_orphans_are_nobodys(stage, init, shell):
    child = shell.spawn("child")
    grandchild = child.spawn("grandchild")
    zombie = child.spawn("zombie")
    zombie.exit(0)
    stage.system.wait(lambda: init.state(zombie.pid) == ZOMBIE, "the zombie")
    child.exit(0)
    assert shell.wait()[1] == child.pid
    assert init.info(zombie.pid) is None
    info = init.info(grandchild.pid)
    assert info and (info.parent, info.state) == (1, RUNNING)
    assert grandchild.ask(GET, 0, grandchild.pid)[1] == 1
    grandchild.exit(0)
    stage.system.wait(lambda: init.info(grandchild.pid) is None, "its end, of which nobody asks")


def test_a_parent_dies_while_it_waits(stage, init, shell):
    child = shell.spawn("child")
    shell.begin_wait()
    assert init.kill(shell.pid, KILLED) == 0
    stage.system.wait(lambda: init.info(shell.pid) is None, "its end")
    info = init.info(child.pid)
    assert info and info.parent == 1
    child.exit(0)
    stage.system.wait(lambda: init.list() == [], "the child's end")


def test_who_is_no_process(stage, init, shell):
    assert init.ask(BEGIN).error == -errno.ESRCH
    assert init.ask(TAKE).error == -errno.ESRCH
    assert init.ask(SIGNALS, 0, 0, 0, 0).error == -errno.ESRCH
    assert init.ask(SET_LIMIT, 1, 0, 0).error == -errno.ESRCH
    assert init.ask(0xbff).error == -errno.ENOSYS
    assert shell.ask(BEGIN).error == -errno.EINVAL, "it has begun already"


# ---- spawn ----

def test_what_cannot_be_spawned(stage, init, shell):
    assert shell.spawn_error("nothing", "x") == -errno.ENOENT
    assert shell.spawn_error("bin/actor/x", "x") == -errno.ENOENT
    assert shell.spawn_error("um", "x") == -errno.EACCES, "it needs what programs do not get"
    assert shell.spawn_error("actor") == -errno.EINVAL, "it has no name"
    assert shell.spawn_error("actor", *["x" * 100] * 200) == -errno.E2BIG
    assert shell.spawn_error("actor", *["x"] * 1100) == -errno.E2BIG
    assert shell.spawn_error("actor", "x", group=-2) == -errno.EINVAL
    assert shell.spawn_error("actor", "x", group=999) == -errno.EPERM
    good = spawn_payload("actor", "x", env=["A=1"])
    for bad in (b"", good[:31], good[:-1], good + b"x", good + b"x\0",
                struct.pack("<I", 33) + good[4:], struct.pack("<2I", 1, 1) + good[8:],
                good[:4] + struct.pack("<I", 2**32 - 1) + good[8:],
                good[:8] + struct.pack("<I", 2**32 - 1) + good[12:]):
        assert shell.ask(SPAWN, payload=bad).error == -errno.EINVAL
    assert [i.pid for i in init.list()] == [shell.pid]


def test_no_place_is_left(init, shell):
    children = [shell.spawn(f"child{i}") for i in range(5)]
    assert shell.spawn_error(ACTOR, "more") == -errno.EAGAIN
    children[0].exit(0)
    assert shell.wait()[1] == children[0].pid
    shell.spawn("more")


def test_one_that_never_begins(stage, init, shell):
    shell.begin_spawn("mute")
    mute = stage.actor("mute")
    assert shell.actor.waits()
    pid = next(i.pid for i in init.list() if i.name == ACTOR and i.pid != shell.pid)
    assert init.state(pid) == STARTING
    mute.begin("exit 0")
    assert shell.actor.end_ask().error == -errno.ECHILD
    assert init.info(pid) is None and shell.wait()[0] == -errno.ECHILD


def test_one_that_is_killed_before_it_begins(stage, init, shell):
    shell.begin_spawn("mute")
    stage.actor("mute")
    pid = max(i.pid for i in init.list())
    assert init.kill(pid, TERM) == 0
    assert shell.actor.end_ask().error == -errno.ECHILD
    assert init.info(pid) is None


def test_a_parent_dies_before_its_child_begins(stage, init, shell):
    shell.begin_spawn("child")
    child = stage.actor("child")
    assert init.kill(shell.pid, KILLED) == 0
    stage.system.wait(lambda: init.info(shell.pid) is None, "the parent's end")
    begun = Process(child)
    assert begun.begun.parent == 1
    assert begun.spawn("grandchild").begun.parent == begun.pid


def test_users(stage, init, shell):
    user = shell.spawn("user", user=1000, gid=100)
    assert (user.begun.user, user.begun.gid) == (1000, 100)
    same = user.spawn("same")
    assert (same.begun.user, same.begun.gid) == (1000, 100)
    assert user.spawn_error(ACTOR, "x", user=0) == -errno.EPERM
    assert user.spawn_error(ACTOR, "x", gid=0) == -errno.EPERM
    other = shell.spawn("other", group=0)
    assert user.spawn_error(ACTOR, "x", user=1000, gid=100, group=other.pid) == -errno.EPERM
    assert user.kill(shell.pid, 0) == -errno.EPERM
    assert user.kill(same.pid, 0) == 0
    assert same.kill(user.pid, TERM) == 0
    assert code(shell.wait()[2]) == -TERM


# ---- handles ----

def test_handles_are_inherited(stage, init, shell):
    console, terminal = open_on(shell, "tty")
    pipe, stream = open_on(shell, "pipe")
    directory, place = open_on(shell, "storage")
    tty, pipes = endpoint(shell, "tty"), endpoint(shell, "pipe")
    child = shell.spawn("child", cwd=directory,
                        fds=[(0, tty, console, 1), (1, pipes, pipe, 2), (2, tty, console, 3)])
    assert [(fd[0], fd[1], fd[3]) for fd in child.begun.fds] == [(0, tty, 1), (1, pipes, 2),
                                                                 (2, tty, 3)]
    objects = [look(init, name, child.endpoint, fd[2])[1]
               for fd, name in zip(child.begun.fds, ("tty", "pipe", "tty"))]
    assert objects == [terminal, stream, terminal]
    assert look(init, "storage", child.endpoint, child.begun.cwd)[1] == place
    assert child.begun.cwd != directory
    assert look(init, "tty", shell.endpoint)[0] == 1, "its own it keeps"
    child.exit(0)
    shell.wait()
    assert look(init, "tty", child.endpoint)[0] == 0


def test_a_handle_that_its_parent_lacks(stage, init, shell):
    tty, storage = endpoint(shell, "tty"), endpoint(shell, "storage")
    console, _ = open_on(shell, "tty")
    theirs, _ = open_on(init, "tty")
    for fds, cwd in (([(0, tty, 99, 0)], 0), ([(0, tty, theirs, 0)], 0),
                     ([(0, storage, console, 0)], 0), ([], 99), ([(0, 99, 1, 0)], 0),
                     ([(0, -1, 1, 0)], 0), ([(0, 0, 1, 0)], 0),
                     ([(0, int(shell.actor.do("self")), 1, 0)], 0)):
        error = shell.spawn_error(ACTOR, "x", cwd=cwd,
                                  fds=[(1, tty, console, 0), *fds] if fds else [])
        assert error == -errno.EBADF, (fds, cwd)
    shell.actor.ask("tty", HOLD, struct.pack("<I", 2))
    assert shell.spawn_error(ACTOR, "x", fds=[(0, tty, console, 0)]) == -errno.EMFILE
    assert [i.pid for i in init.list()] == [shell.pid]
    child = shell.spawn("child", fds=[(0, tty, console, 0)])
    assert look(init, "tty", child.endpoint)[0] == 1, "nothing is left of those that failed"


def test_the_file_server_is_told_who_it_is(stage, init, shell):
    child = shell.spawn("child", user=7, gid=8)
    seen = look(init, "storage", child.endpoint)
    assert (seen[2], seen[3]) == (7, 8)
    stage.system.kill("storage")
    stage.system.wait_for_restart("storage")
    stage.system.wait(lambda: look(init, "storage", child.endpoint)[2] == 7, "that it knows again")


def test_the_foreground(stage, init, shell):
    child = shell.spawn("child", group=0, foreground=1)
    assert look(init, "tty", child.endpoint)[4] == child.pid
    other = shell.spawn("other", group=0)
    assert look(init, "tty", other.endpoint)[4] == child.pid


def test_it_runs_once_its_handles_are_there(stage, init, shell):
    console, _ = open_on(shell, "tty")
    assert hold(init, "tty", True) == 0
    shell.begin_spawn("child", fds=[(0, endpoint(init, "tty"), console, 0)])
    stage.system.wait(lambda: hold(init, "tty", True) == 1, "the request")
    assert set(stage.system.status()) & {"program-2"} == set()
    assert init.state(max(i.pid for i in init.list())) == STARTING
    hold(init, "tty", False)
    Process(stage.actor("child"))
    assert shell.actor.end_ask().error == 0


def test_ends_while_handles_are_made(stage, init, shell):
    """Of the child, then of the parent. What a server makes for one that will not come is dropped
    before another has its endpoint."""
    console, _ = open_on(shell, "tty")
    fds = [(0, endpoint(init, "tty"), console, 0)]
    hold(init, "tty", True)
    shell.begin_spawn("one", fds=fds)
    stage.system.wait(lambda: hold(init, "tty", True) == 1, "the request")
    pid = max(i.pid for i in init.list())
    at = init.info(pid).endpoint
    assert init.kill(pid, TERM) == 0
    assert shell.actor.end_ask().error == -errno.ECHILD
    assert init.info(pid), "its place is kept"
    hold(init, "tty", False)
    stage.system.wait(lambda: init.info(pid) is None, "the place")
    hold(init, "tty", True)
    shell.begin_spawn("two", fds=fds)
    stage.system.wait(lambda: hold(init, "tty", True) == 1, "the request")
    assert init.kill(shell.pid, KILLED) == 0
    stage.system.wait(lambda: init.info(shell.pid) is None, "the parent's end")
    hold(init, "tty", False)
    stage.system.wait(lambda: init.list() == [], "both ends")
    fresh = init.spawn("fresh")
    other = init.spawn("other")
    assert at in (fresh.endpoint, other.endpoint)
    assert look(init, "tty", fresh.endpoint)[0] == look(init, "tty", other.endpoint)[0] == 0


def test_the_server_of_a_handle_dies(stage, init, shell):
    console, _ = open_on(shell, "tty")
    hold(init, "tty", True)
    shell.begin_spawn("child", fds=[(0, endpoint(init, "tty"), console, 0)])
    stage.system.wait(lambda: hold(init, "tty", True) == 1, "the request")
    stage.system.kill("tty")
    assert shell.actor.end_ask().error == -errno.EBADF
    assert [i.pid for i in init.list()] == [shell.pid]


def test_more_at_once_than_calls_can_be_made():
    with process_stage(pm={"calls_max": 1}) as made:
        init = Parent(made.actor("init"))
        shells = [init.spawn(f"shell{i}") for i in range(3)]
        consoles = [open_on(shell, "tty") for shell in shells]
        tty = endpoint(init, "tty")
        hold(init, "tty", True)
        for i, shell in enumerate(shells):
            shell.begin_spawn(f"child{i}", fds=[(0, tty, consoles[i][0], 0)] * 2)
        made.system.wait(lambda: hold(init, "tty", True) == 1, "the only call")
        made.system.kill("storage")
        hold(init, "tty", False)
        for i, shell in enumerate(shells):
            child = Process(made.actor(f"child{i}"))
            assert shell.actor.end_ask()[0] == child.pid
            assert [look(init, "tty", child.endpoint, fd[2])[1]
                    for fd in child.begun.fds] == [consoles[i][1]] * 2
            made.system.wait(lambda: look(init, "storage", child.endpoint)[2] == 0, "that it knows")


# ---- limits ----

def set_limit(process: Process, which: int, value: int) -> int:
    return process.actor.ask("pm", SET_LIMIT, struct.pack("<QI", value, which)).error


def test_a_limit_of_children(stage, init, shell):
    assert set_limit(shell, LIMIT_CHILDREN, 1) == 0
    assert set_limit(shell, LIMIT_CHILDREN, 2) == -errno.EPERM
    assert set_limit(shell, 99, 2) == -errno.EINVAL
    child = shell.spawn("child")
    assert shell.spawn_error(ACTOR, "x") == -errno.EAGAIN
    grandchild = child.spawn("grandchild")
    assert child.spawn_error(ACTOR, "x") == -errno.EAGAIN, "limits are inherited"
    grandchild.exit(0)
    assert child.wait()[1] == grandchild.pid
    assert set_limit(child, LIMIT_CHILDREN, 0) == 0
    assert child.spawn_error(ACTOR, "x") == -errno.EAGAIN


def test_a_limit_of_cpu_time(stage, init, shell):
    child = shell.spawn("child")
    assert set_limit(child, LIMIT_CPU_S, 1) == 0
    child.actor.begin("spin")
    stage.system.wait(lambda: init.state(child.pid) == ZOMBIE, "the end")
    used = init.info(child.pid).cpu_us
    assert used >= 900_000, "with what it is told, though the host counts in its own way"
    assert code(shell.wait()[2]) == -XCPU
    other = shell.spawn("other")
    assert other.signals(caught=bit(XCPU)) == 0
    assert set_limit(other, LIMIT_CPU_S, 0) == 0
    assert other.actor.receive().bits == SIGNALLED
    assert other.take() == bit(XCPU)


def test_a_limit_of_processes_per_user():
    with process_stage(pm={"args": ["processes=2"]}) as made:
        init = Parent(made.actor("init"))
        root = init.spawn("root")
        user = root.spawn("user", user=1000)
        child = user.spawn("child")
        assert user.spawn_error(ACTOR, "x") == -errno.EAGAIN
        root.spawn("other")
        child.exit(0)
        made.system.wait(lambda: init.state(child.pid) == ZOMBIE, "the zombie")
        assert user.spawn_error(ACTOR, "x") == -errno.EAGAIN, "a zombie counts"
        assert user.wait()[1] == child.pid
        user.spawn("again")
