"""Live update of a program without the bus: that it works, and that whatever fails changes nothing."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from alone import (  # noqa: E402
    BUILD, LIMIT, ST_RUN, ST_UPDATE, alive, children, counter, start_update, update, wait)

WAYS = {"split": {}, "st-run": {"run": True}}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def fill(c):
    for n in (1, 2, 300):
        answer = c.ask(f"add {n}")
    assert answer["total"] == answer["sum"] == "303"


def goes_on(c, version="1"):
    """The version that is expected runs, with its state, and serves new clients too."""
    with c.connect() as another:
        for on in (c.socket, another):
            answer = c.ask("get", on)
            assert (answer["version"], answer["total"], answer["sum"]) == (version, "303", "303")
    wait(lambda: len(children(c.pid)) == 1, "the end of the version that is not needed")


@pytest.mark.parametrize("arguments", [[], ["by-signal"]])
def test_state_and_connections_survive(way, arguments):
    with counter(*arguments, **way) as c:
        fill(c)
        for version, number in (("v2", "2"), ("v1", "1"), ("v2", "2")):
            status, out, err = update(c.pid, version)
            assert (status, err) == (0, "") and f"process {c.pid} now runs" in out
            goes_on(c, number)
        answer = c.ask("add 7")
        assert answer["total"] == answer["sum"] == "310"
        assert answer["restored"] == "1" and answer["pid"] == str(c.pid)


def test_many_updates_leave_nothing_behind():
    with counter() as c:
        fill(c)
        def descriptors(): return [len(os.listdir(f"/proc/{pid}/fd")) for pid in (c.pid, c.program)]
        for n in range(20):
            assert update(c.pid, "v2" if n % 2 else "v1")[0] == 0
            goes_on(c, "2" if n % 2 else "1")
            if n == 3:
                c.ask(), c.ask()  # it has noticed that the other client is gone
                seen = descriptors()
        wait(lambda: descriptors() == seen, "as many descriptors as before")


def test_program_may_be_named_by_its_own_process():
    with counter() as c:
        fill(c)
        assert update(c.program, "v2")[0] == 0
        goes_on(c, "2")


@pytest.mark.parametrize("version, options, says", [
    ("/nonexistent", [], "refused: /nonexistent: No such file"),
    ("/bin/true", [], "refused: /bin/true: "),
    ("v2.raw", [], "not instrumented"),
    ("other", [], "one of `other`, the program is `counter`"),
    ("crash", [], "crashed while it was loaded (signal 11)"),
    ("exit", [], "ended while it was loaded (exit status 3)"),
    ("hang", ["-timeout", "5000"], "hung while it was loaded"),
    ("narrow", [], "is 303, which does not fit"),
    ("transfer-crash", [], "crashed during state transfer (signal 11)"),
    ("transfer-hang", ["-timeout", "5000"], "hung during state transfer"),
    ("transfer-exhaust", [], "is refused by its handler misbehave: out of memory"),
    ("transfer-scribble", [], "crashed during state transfer (signal 11)"),
    ("v2", ["-state", "nonsense == 1"], "nonsense"),
    ("v2", ["-state", "1 / busy"], "divides by zero"),
    ("v2", ["-state", "busy == 1", "-timeout", "5000"], "did not reach state quiescence ('busy == 1')"),
])
def test_failed_update_changes_nothing(way, version, options, says):
    with counter(**way) as c:
        fill(c)
        before = c.program
        status, out, err = update(c.pid, version, *options)
        assert status == 1 and says in err
        goes_on(c)
        assert c.program == before
        assert update(c.pid, "v2")[0] == 0
        goes_on(c, "2")


def waiting(c, *options):
    """An update whose new version is loaded and waits for the old one: (st-update, new version)."""
    old = c.program
    u = start_update(c.pid, "v2", "-state", "busy == 0", *options)
    pid = wait(lambda: [p for p in children(c.pid) if p != old], "the new version")[0]
    wait(lambda: waits_in(pid, "recvmsg"), "the new version's plan")
    return u, pid


def waits_in(pid, call):
    numbers = {"poll": "7", "recvmsg": "47"}
    return Path(f"/proc/{pid}/syscall").read_text().split()[0] == numbers[call]


def holds_signals(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return status.split("SigBlk:")[1].split()[0].startswith("ffff")


def test_state_filter_is_waited_for():
    with counter() as c:
        fill(c)
        c.ask("busy 1")
        u, _ = waiting(c)
        goes_on_meanwhile = c.ask("get")
        assert goes_on_meanwhile["version"] == "1"
        c.ask("busy 0")
        assert u.wait(LIMIT) == 0
        u.communicate()
        goes_on(c, "2")


@pytest.mark.parametrize("victim", ["new", "st-update"])
def test_killed_while_converging(way, victim):
    with counter(**way) as c:
        fill(c)
        c.ask("busy 1")
        u, new = waiting(c)
        os.kill(new if victim == "new" else u.pid, signal.SIGKILL)
        _, err = u.communicate(timeout=LIMIT)
        if victim == "new":
            assert "crashed while it waited for the old version (signal 9)" in err
        wait(lambda: len(children(c.pid)) == 1, "the new version's end")
        c.ask("busy 0")
        goes_on(c)
        assert update(c.pid, "v2")[0] == 0
        goes_on(c, "2")


def test_stopped_new_version_times_out_and_killed_one_is_a_crash():
    with counter() as c:
        fill(c)
        for last in (None, signal.SIGKILL):
            c.ask("busy 1")
            u, new = waiting(c, "-timeout", "600000" if last else "5000")
            os.kill(new, signal.SIGSTOP)
            c.tell("busy 0")
            c.answer()
            if last:
                old = children(c.pid)[0]
                wait(lambda: holds_signals(old) and waits_in(old, "poll"), "the old version to freeze")
                os.kill(new, last)
            _, err = u.communicate(timeout=LIMIT)
            assert ("crashed during state transfer (signal 9)" if last else "hung during") in err
            goes_on(c)


def test_program_killed_during_update_ends_as_it_would():
    with counter() as c:
        fill(c)
        c.ask("busy 1")
        u, new = waiting(c)
        os.kill(c.program, signal.SIGKILL)
        assert c.process.wait(LIMIT) == -signal.SIGKILL
        assert "the program has ended" in u.communicate(timeout=LIMIT)[1] and u.returncode == 1
        wait(lambda: not alive(new), "the new version's end")


def test_supervisor_killed_takes_the_program_along(way):
    with counter(**way) as c:
        c.ask("busy 1")
        u, new = waiting(c)
        versions = children(c.pid)
        assert len(versions) == 2
        os.kill(c.pid, signal.SIGKILL)
        for pid in versions:
            wait(lambda: not alive(pid), "the versions' end")
        u.communicate(timeout=LIMIT)
        assert u.returncode == 1


def test_options_reach_the_new_version():
    with counter() as c:
        fill(c)
        assert update(c.pid, "v2", "-check", "total > 0", "-validate", "-relocate", "-strict")[0] == 0
        goes_on(c, "2")


def test_one_update_at_a_time():
    with counter() as c:
        fill(c)
        c.ask("busy 1")
        u, _ = waiting(c)
        status, _, err = update(c.pid, "v2")
        assert status == 1 and "another update is running" in err
        c.ask("busy 0")
        u.communicate(timeout=LIMIT)
        assert u.returncode == 0
        goes_on(c, "2")


@pytest.mark.parametrize("what, says", [
    ("thread", "it has 2 threads"),
    ("child", "it has a child (process "),
    ("timer", "it has a POSIX timer (timer_create(), id 0)"),
    ("itimer", "it has an interval timer (ITIMER_REAL"),
    ("lock", "it holds a POSIX record lock (fcntl(), lockf()) on {cwd}/locked"),
    ("stdin", "stdin's buffer holds 5 bytes"),
])
def test_what_cannot_be_carried_over_is_refused_by_name(tmp_path, what, says):
    with counter(cwd=tmp_path) as c:
        fill(c)
        c.process.stdin.write("123456")
        c.process.stdin.flush()
        c.ask(f"make {what}")
        own = children(c.program)
        status, _, err = update(c.pid, "v2")
        assert status == 1 and "refused: " + says.format(cwd=tmp_path) in err
        answer = c.ask("get")
        assert answer["version"] == "1" and answer["sum"] == "303"
        for pid in own:
            os.kill(pid, signal.SIGKILL)


def test_nested_update_point_is_none():
    with counter() as c:
        fill(c)
        c.ask("busy 1")
        u, _ = waiting(c)
        assert c.ask("nested")["version"] == "1"
        u.communicate(timeout=LIMIT)
        assert u.returncode == 0
        goes_on(c, "2")


def test_children_of_the_program_leave_its_messages_alone():
    with counter() as c:
        fill(c)
        c.ask("make busy-child")
        child = children(c.program)[0]
        for _ in range(20):
            status, _, err = update(c.pid, "v2")
            assert status == 1 and f"it has a child (process {child})" in err
        os.kill(child, signal.SIGKILL)
        goes_on(c)


def test_stop_and_continue(way):
    with counter(process_group=0, **way) as c:  # a job of its own, or it would not be stopped
        fill(c)
        os.kill(c.pid, signal.SIGTSTP)
        stopped = wait(lambda: os.waitpid(c.pid, os.WUNTRACED | os.WNOHANG)[1], "the stop")
        assert os.WIFSTOPPED(stopped)
        os.kill(c.pid, signal.SIGCONT)
        goes_on(c)


def test_signals_and_exit_status_are_passed_on(way):
    with counter(**way) as c:
        c.ask("usr1")
        os.kill(c.pid, signal.SIGUSR1)
        wait(lambda: c.ask("get")["signals"] == "1", "the signal")
        assert update(c.pid, "v2")[0] == 0
        os.kill(c.pid, signal.SIGUSR1)
        wait(lambda: c.ask("get")["signals"] == "2", "the signal's handler in the new version")
        c.tell("exit 42")
        assert c.process.wait(LIMIT) == 42
    with counter(**way) as c:
        os.kill(c.pid, signal.SIGTERM)
        assert c.process.wait(LIMIT) == -signal.SIGTERM


def test_what_the_process_is_survives(tmp_path):
    with counter(cwd="/") as c:
        c.ask(f"cd {tmp_path}")
        c.ask("umask")
        c.ask("say")
        assert update(c.pid, "v2")[0] == 0
        answer = c.ask("get")
        assert (answer["cwd"], answer["umask"]) == (str(tmp_path), "27")
        c.tell("exit 0")
        assert c.process.wait(LIMIT) == 0
        assert c.process.stdout.read() == "unflushed "


def test_who_waits_for_the_end_of_output_waits_for_the_program_only():
    ours, theirs = os.pipe()
    pipe = os.readlink(f"/proc/self/fd/{theirs}")

    def links(pid):
        found = []
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found.append(os.readlink(entry.path))
        return found

    with counter(pass_fds=[theirs]) as c:
        os.close(theirs)
        assert update(c.pid, "v2")[0] == 0
        wait(lambda: len(children(c.pid)) == 1, "the old version's end")
        wait(lambda: pipe in links(c.program), "the program's descriptors")
        assert not [link for link in links(c.pid) if link.startswith("pipe:")]
    assert os.read(ours, 1) == b""
    os.close(ours)


def test_what_epoll_watches_goes_on():
    with subprocess.Popen([BUILD / "waiter.v1"], stdout=subprocess.PIPE, text=True) as p:
        def ask():
            """(version, signals so far, ticks so far)"""
            os.kill(p.pid, signal.SIGUSR1)
            assert select.select([p.stdout], [], [], LIMIT)[0], "no answer to the signal"
            return [int(word) for word in p.stdout.readline().split()]
        try:
            assert p.stdout.readline() == "ready\n"
            before = 0
            for n, version in enumerate((1, 2, 1, 2), start=1):
                if n > 1:
                    assert update(p.pid, BUILD / f"waiter.v{version}")[0] == 0
                said, signals, ticks = ask()
                assert (said, signals) == (version, n) and ticks >= before
                before = ticks
            wait(lambda: ask()[2] > before, "the timer")
        finally:
            p.terminate()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to change users")
def test_program_that_changed_its_user_is_refused():
    with counter() as c:
        fill(c)
        c.ask("make user")
        status, _, err = update(c.pid, "v2")
        assert status == 1 and "it has changed its privileges since it was started (Uid:" in err
        goes_on(c)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to change users")
def test_other_users_are_refused():
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with counter() as c:
        fill(c)
        done = subprocess.run([*as_nobody, ST_UPDATE, str(c.pid), BUILD / "counter.v2"],
                              capture_output=True, text=True)
        assert done.returncode == 1 and "it belongs to another user" in done.stderr
        space = os.stat(f"/proc/{c.pid}/ns/pid").st_ino
        # One that knows the address all the same is turned away.
        script = f"""
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(b"\\0libst/{space}/{c.pid}")
try:
    print("answer:", s.recv(100))
except ConnectionResetError:
    print("answer: b''")
"""
        done = subprocess.run([*as_nobody, sys.executable, "-c", script], capture_output=True,
                              text=True, timeout=LIMIT)
        assert done.stdout == "answer: b''\n", done.stderr
        goes_on(c)


def test_program_without_supervisor_is_refused():
    with counter(env={**os.environ, "ST_SUPERVISE": "no"}) as c:
        assert children(c.pid) == []
        status, _, err = update(c.pid, "v2")
        assert status == 1 and "neither runs below st-run nor called st_startup()" in err
        assert c.ask("add 3")["total"] == "3"


def test_program_without_metadata_runs_and_is_refused():
    with counter(version="v1.raw") as c:
        status, _, err = update(c.pid, "v2")
        assert status == 1 and "it is not instrumented" in err
        assert c.ask("add 3")["total"] == "3"


def test_st_run_of_what_is_no_program():
    p = subprocess.run([ST_RUN, "/nonexistent"], capture_output=True, text=True)
    assert p.returncode == 127 and "/nonexistent: No such file" in p.stderr
    p = subprocess.Popen([ST_RUN, "sleep", "1000"])
    try:
        wait(lambda: children(p.pid), "sleep")
        status, _, err = update(p.pid, "v2")
        assert status == 1 and "it has not called st_startup()" in err
    finally:
        os.kill(children(p.pid)[0], signal.SIGKILL)
        p.wait()
