"""The process manager: signals and groups."""

from __future__ import annotations

import errno
import os
import signal
import struct

from family import (CHLD, CONT, INT, KILLED, STOP, TERM, TSTP, USR1, begin_wait, code, endpoint, init, members,
                    shell, stage)
from processes import (CONTINUED, GET, IS_STOPPED, KILL, NO_HANG, RUNNING, SET_GROUP, SIGNALLED,
                       STOPPED, ZOMBIE, bit)
from stage import NOTIFIED


# ---- signals ----

def test_default_actions(stage, init, shell):
    for signum in (TERM, INT, signal.SIGHUP, USR1, KILLED, signal.SIGRTMAX):
        child = shell.spawn("child")
        assert shell.kill(child.pid, signum) == 0
        error, pid, status = shell.wait()
        assert (error, pid, code(status)) == (0, child.pid, -signum)
    child = shell.spawn("child")
    for signum in (CHLD, signal.SIGURG, signal.SIGWINCH, CONT, 0):
        assert shell.kill(child.pid, signum) == 0
    child.exit(3)
    assert code(shell.wait()[2]) == 3


def test_stop_and_continue(stage, init, shell):
    child = shell.spawn("child")
    pid = stage.system.status()["program-2"].pid
    shell.begin_wait(child.pid, STOPPED | CONTINUED)
    assert init.kill(child.pid, TSTP) == 0
    error, who, status = shell.end_wait()
    assert who == child.pid and os.WIFSTOPPED(status) and os.WSTOPSIG(status) == TSTP
    assert init.state(child.pid) == IS_STOPPED
    stage.system.wait(lambda: open(f"/proc/{pid}/stat").read().split()[2] == "T", "the stop")
    assert shell.wait(child.pid, NO_HANG | STOPPED) == (0, 0, 0), "it is told once"
    assert init.kill(child.pid, CONT) == 0
    assert os.WIFCONTINUED(shell.wait(child.pid, CONTINUED)[2])
    assert init.state(child.pid) == RUNNING
    assert child.actor.do("print on") == ""
    assert init.kill(child.pid, STOP) == 0
    assert shell.wait(child.pid, NO_HANG) == (0, 0, 0), "nobody asked about stops"
    assert init.kill(child.pid, TERM) == 0
    assert init.state(child.pid) == IS_STOPPED, "which waits until it goes on"
    assert init.kill(child.pid, CONT) == 0
    assert code(shell.wait(child.pid)[2]) == -TERM
    other = shell.spawn("other")
    assert init.kill(other.pid, STOP) == 0 and init.kill(other.pid, KILLED) == 0
    assert code(shell.wait(other.pid)[2]) == -KILLED


def test_caught_and_ignored(stage, init, shell):
    child = shell.spawn("child")
    assert child.signals(caught=bit(USR1) | bit(CONT), ignored=bit(TERM)) == 0
    for signum in (TERM, USR1, CONT):
        assert init.kill(child.pid, signum) == 0
    news = child.actor.receive()
    assert (news.type, news.bits) == (NOTIFIED, SIGNALLED)
    assert child.take() == bit(USR1) | bit(CONT)
    assert child.take() == 0
    for caught, ignored in ((bit(KILLED), 0), (0, bit(STOP)), (bit(INT), bit(INT))):
        assert child.signals(caught, ignored) == -errno.EINVAL
    assert init.kill(child.pid, USR1) == 0
    assert child.signals() == 0
    assert child.take() == 0, "it does not catch it any more"
    assert init.kill(child.pid, TERM) == 0
    assert code(shell.wait()[2]) == -TERM


def test_a_signal_ends_a_wait(stage, init, shell):
    shell.spawn("child")
    assert shell.signals(caught=bit(INT)) == 0
    for waits in (True, False):  # also one that it has yet to hear of
        if waits:
            begin_wait(stage, shell)
            assert init.kill(shell.pid, INT) == 0
        else:
            assert init.kill(shell.pid, INT) == 0
            shell.begin_wait()
        assert shell.end_wait()[0] == -errno.EINTR
        assert shell.take() == bit(INT)


def test_news_of_children(stage, init, shell):
    child = shell.spawn("child")
    assert shell.signals(caught=bit(CHLD)) == 0
    for signum in (STOP, CONT, KILLED):
        assert init.kill(child.pid, signum) == 0
        assert shell.actor.receive().bits == SIGNALLED
        assert shell.take() == bit(CHLD)
    assert shell.wait()[1] == child.pid


def test_a_wait_gets_the_child_and_not_its_signal(stage, init, shell):
    child = shell.spawn("child")
    assert shell.signals(caught=bit(CHLD)) == 0
    shell.begin_wait()
    child.exit(5)
    error, pid, status = shell.end_wait()
    assert (error, pid, code(status)) == (0, child.pid, 5)
    assert shell.take() == bit(CHLD)


def test_children_that_are_ignored_leave_nothing(stage, init, shell):
    one, two = shell.spawn("one"), shell.spawn("two")
    assert shell.signals(ignored=bit(CHLD)) == 0
    one.exit(0)
    stage.system.wait(lambda: init.info(one.pid) is None, "its end")
    shell.begin_wait()
    two.exit(0)
    assert shell.end_wait()[0] == -errno.ECHILD


def test_whom_a_signal_is_for(stage, init, shell):
    one, two = shell.spawn("one"), shell.spawn("two", group=0)
    user = shell.spawn("user", user=1000)
    assert init.kill(999, TERM) == -errno.ESRCH
    assert init.kill(-999, TERM) == -errno.ESRCH
    assert init.kill(0, TERM) == -errno.ESRCH, "a component has no group"
    assert init.kill(1, TERM) == -errno.EPERM and init.kill(1, 0) == 0
    for signum in (-1, 65, 2**31 - 1):
        assert init.kill(one.pid, signum) == -errno.EINVAL
    assert init.kill(-2**31, TERM) == -errno.EINVAL
    assert user.kill(-two.pid, TERM) == -errno.EPERM
    assert user.kill(0, 0) == 0, "itself it may"
    shell.signals(ignored=bit(TERM))
    one.actor.begin_ask("pm", KILL, struct.pack("<ii", 0, TERM))  # its group, and itself
    ended = {shell.wait()[1], shell.wait()[1]}
    assert ended == {one.pid, user.pid}
    assert shell.kill(-1, KILLED) == 0, "all but itself"
    assert shell.wait()[1] == two.pid
    assert init.kill(shell.pid, KILLED) == 0


def test_it_may_signal_itself(stage, init, shell):
    child = shell.spawn("child")
    child.actor.begin_ask("pm", KILL, struct.pack("<ii", child.pid, TERM))
    assert code(shell.wait()[2]) == -TERM


def test_a_zombie_can_be_signalled_in_vain(stage, init, shell):
    child = shell.spawn("child")
    child.exit(4)
    stage.system.wait(lambda: init.state(child.pid) == ZOMBIE, "the zombie")
    assert init.kill(child.pid, KILLED) == 0
    assert init.kill(child.pid, CONT) == 0
    assert code(shell.wait()[2]) == 4


# ---- groups ----

def test_groups(stage, init, shell):
    one, two = shell.spawn("one"), shell.spawn("two", group=0)
    assert members(init, shell.pid) == 2 and members(init, two.pid) == 1
    assert shell.ask(SET_GROUP, one.pid, two.pid).error == 0
    assert members(init, shell.pid) == 1 and members(init, two.pid) == 2
    assert one.ask(SET_GROUP, 0, 0).error == 0
    assert init.ask(GET, 0, one.pid)[2] == one.pid
    for fields, error in (((one.pid, 999), errno.EPERM), ((999, 0), errno.ESRCH),
                          ((-1, 0), errno.EINVAL), ((0, -1), errno.EINVAL)):
        assert shell.ask(SET_GROUP, *fields).error == -error
    assert one.ask(SET_GROUP, two.pid, 0).error == -errno.ESRCH, "no child of its own"
    assert init.ask(SET_GROUP, 0, 0).error == -errno.ESRCH
    two.exit(0)
    shell.wait(two.pid)
    assert members(init, two.pid) == 0
    assert shell.ask(SET_GROUP, one.pid, two.pid).error == -errno.EPERM, "nobody is left in it"


def test_who_is_who(stage, init, shell):
    child = shell.spawn("child", user=7, gid=8)
    for fields in ((child.endpoint, 0), (0, child.pid)):
        answer = init.ask(GET, *fields)
        assert (answer[0], answer[1], answer[2], answer[3], answer[4]) == (
            child.pid, shell.pid, shell.pid, 7, 8)
    assert init.ask(GET, 0, 999).error == -errno.ESRCH
    assert init.ask(GET, endpoint(init, "tty"), 0).error == -errno.ESRCH
    infos = init.list()
    assert [i.pid for i in infos] == [shell.pid, child.pid]
    assert [i.pid for i in init.list(after=shell.pid)] == [child.pid]
    assert init.list(after=child.pid) == []
    assert infos[1].endpoint == child.endpoint and infos[1].started_us > infos[0].started_us
