"""The libevent program of docs/standalone.md: its loop's state survives, wrong uses are refused."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from alone import LIMIT, ST_UPDATE, children, wait  # noqa: E402
from page import block, shell, uninstalled  # noqa: E402

LIBRARY = "libevent-2.1.so.7"
ON_SIGNAL = "static void on_signal(int fd, short what, void *unused) { lines += 1000; }\n"


def source(changes=None):
    """The page's program, with SIGUSR1 as an event too."""
    text = block("c", "libevent")
    changes = {"static void on_update(": ON_SIGNAL + "static void on_update(",
               "  event_add(event_new(base, st_update_fd()":
               "  event_add(evsignal_new(base, 10, on_signal, NULL), NULL);\n"
               "  event_add(event_new(base, st_update_fd()", **(changes or {})}
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def build(where, name, text):
    (where / f"{name}.c").write_text(text)
    script = block("sh", "build").replace("--libs libst)", "--libs libst) -levent")
    script = script.replace("--component seen", f"--component ticker --state-library {LIBRARY}")
    shell(script, where, name=name, **uninstalled(where))
    return where / name


class Ticker:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.client = self.connect()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)

    def ask(self, line, client=None):
        """(number of the line, the line, ticks so far)"""
        client = client or self.client
        client.sendall(line.encode() + b"\n")
        number, text, ticks = client.recv(100).decode().split()
        return int(number), text, int(ticks.strip("()"))

    def update(self, program):
        done = subprocess.run([ST_UPDATE, "-timeout", "5000", str(self.process.pid), program],
                              capture_output=True, text=True, timeout=LIMIT)
        return done.returncode, done.stderr

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.process.stdout.close()
        self.client.close()


def test_clients_timer_and_signals_survive(tmp_path):
    old = build(tmp_path, "ticker", source())
    # The new version has its variables elsewhere, and counts in hundreds.
    new = build(tmp_path, "ticker.new", source({
        "static struct event_base *base;": "static char more[5000];\nstatic struct event_base *base;",
        "++lines, line, ticks": "lines += 100 + more[0], line, ticks"}))
    with Ticker(old) as t:
        assert t.ask("one")[:2] == (1, "one")
        with t.connect() as other:
            number = t.ask("two", other)[0]
            for program, step in ((new, 100), (old, 1), (new, 100)):
                assert t.update(program) == (0, "")
                for client in (t.client, other):
                    number += step
                    assert t.ask("x", client)[:2] == (number, "x")
                before = t.ask("x")[2]
                number += step
                def ticked():
                    nonlocal number
                    number += step
                    return t.ask("x")[2] > before + 1
                wait(ticked, "the timer")
                os.kill(t.process.pid, signal.SIGUSR1)
                def signalled():
                    nonlocal number
                    was, number = number, t.ask("x")[0]
                    return number == was + step + 1000
                wait(signalled, "the signal's event")
        with t.connect() as late:
            assert t.ask("late", late)[:2] == (number + 100, "late")


def test_update_point_inside_the_loop_is_refused(tmp_path):
    wrong = build(tmp_path, "wrong", source({
        "  /* It is enough that event_base_loop() returns. */": "  st_update_point();",
        "    st_update_point();\n    event_base_loop(base, EVLOOP_ONCE);":
        "    event_base_dispatch(base);"}))
    with Ticker(wrong) as t:
        t.ask("one")
        status, error = t.update(wrong)
        assert status == 1
        assert f"st_update_point() was called from within {LIBRARY}" in error
        assert t.ask("two")[:2] == (2, "two")
        assert len(children(t.process.pid)) == 1


def test_object_that_the_library_knows_must_keep_its_layout(tmp_path):
    def versions(layout):
        return source({
            "static unsigned long lines, ticks;":
            f"struct client {{ {layout} }};\nstatic unsigned long lines, ticks;",
            "  bufferevent_setcb(b, on_input, NULL, on_end, NULL);":
            "  struct client *c = calloc(1, sizeof(*c));\n"
            "  bufferevent_setcb(b, on_input, NULL, on_end, c);"})
    old = build(tmp_path, "old", versions("long seen;"))
    new = build(tmp_path, "new", versions("char name[40]; long seen;"))
    with Ticker(old) as t:
        t.ask("one")
        status, error = t.update(new)
        assert status == 1 and "holds the address of a `struct client`" in error
        assert t.ask("two")[:2] == (2, "two")
        assert t.update(old) == (0, "")
        assert t.ask("three")[:2] == (3, "three")
