"""Processes: the messages of libsys/if/proc.h, by an actor each (tests/components/actor.c)."""

from __future__ import annotations

import struct
from typing import Any, Iterable

from proteos import Manifest
from stage import ACTOR, Actor, Answer, Stage

(BEGIN, SPAWN, WAIT, KILL, SIGNALS, TAKE, SET_GROUP, GET, LIST, SET_LIMIT,
 MEMBERS) = range(0xb00, 0xb0b)
NO_HANG, STOPPED, CONTINUED = 1, 2, 4
SAME_GROUP, SAME_USER = -1, 0xffffffff
STARTING, RUNNING, IS_STOPPED, ZOMBIE = range(4)
LIMIT_CHILDREN, LIMIT_CPU_S = range(2)
SIGNALLED = 1 << 2
OPEN, LOOK, HOLD = range(0xe60, 0xe63)
INFO = "<4i2I I i QQ 32s"

Fd = tuple[int, int, int, int]  # its number, the server's endpoint, the handle, flags


def spawn_payload(program: str, *arguments: str, fds: Iterable[Fd] = (), env: Iterable[str] = (),
                  group: int = SAME_GROUP, cwd: int = 0, user: int = SAME_USER,
                  gid: int = SAME_USER, foreground: int = 0) -> bytes:
    fds, env = list(fds), list(env)
    head = struct.pack("<3Ii4I", len(fds), len(arguments), len(env), group, cwd, user, gid,
                       foreground)
    strings = "".join(text + "\0" for text in (program, *arguments, *env)).encode()
    return head + b"".join(struct.pack("<IiII", *fd) for fd in fds) + strings


class Start:
    """What PROC_BEGIN tells."""

    def __init__(self, payload: bytes):
        (self.pid, self.parent, self.group, self.user, self.gid, self.cwd, nfds,
         nenv) = struct.unpack_from("<3i5I", payload)
        self.fds = [struct.unpack_from("<IiII", payload, 32 + 16 * i) for i in range(nfds)]
        self.env = payload[32 + 16 * nfds:].decode().split("\0")[:-1]
        assert len(self.env) == nenv


class Info:
    """One process of PROC_LIST."""

    def __init__(self, data: bytes):
        (self.pid, self.parent, self.group, self.endpoint, self.user, self.gid, self.state,
         self.status, self.started_us, self.cpu_us, name) = struct.unpack(INFO, data)
        self.name = name.split(b"\0")[0].decode()


class Parent:
    """An actor that starts processes: a component, or one of them."""

    def __init__(self, actor: Actor):
        self.actor = actor
        self.stage = actor.stage

    def ask(self, type: int, *fields: int, payload: bytes = b"") -> Answer:
        body = b"".join(f.to_bytes(4, "little", signed=f < 0) for f in fields)
        return self.actor.ask("pm", type, body, payload)

    def begin_spawn(self, name: str, **how: Any) -> None:
        """Asks for an actor of that name."""
        self.actor.begin_ask("pm", SPAWN, payload=spawn_payload(ACTOR, name, **how))

    def spawn(self, name: str, **how: Any) -> Process:
        self.begin_spawn(name, **how)
        process = Process(self.stage.actor(name))
        answer = self.actor.end_ask()
        assert answer.error == 0
        assert process.pid == answer[0]
        return process

    def spawn_error(self, program: str, *arguments: str, **how: Any) -> int:
        return self.ask(SPAWN, payload=spawn_payload(program, *arguments, **how)).error

    def begin_wait(self, pid: int = -1, flags: int = 0) -> None:
        self.actor.begin_ask("pm", WAIT, struct.pack("<iI", pid, flags))

    def end_wait(self) -> tuple[int, int, int]:
        """Error, pid and wait status."""
        answer = self.actor.end_ask()
        return answer.error, answer[0], answer[1]

    def wait(self, pid: int = -1, flags: int = 0) -> tuple[int, int, int]:
        self.begin_wait(pid, flags)
        return self.end_wait()

    def kill(self, pid: int, signum: int) -> int:
        return self.ask(KILL, pid, signum).error

    def list(self, after: int = 0) -> list[Info]:
        data = self.ask(LIST, after).payload
        size = struct.calcsize(INFO)
        return [Info(data[i:i + size]) for i in range(0, len(data), size)]

    def info(self, pid: int) -> Info | None:
        return next((i for i in self.list() if i.pid == pid), None)

    def state(self, pid: int) -> int | None:
        info = self.info(pid)
        return info.state if info else None


class Process(Parent):
    """An actor that is a process and has begun."""

    def __init__(self, actor: Actor):
        super().__init__(actor)
        self.begun = Start(self.ask(BEGIN).payload)
        self.pid = self.begun.pid
        self.endpoint = int(actor.do("self"))

    def exit(self, status: int) -> None:
        self.actor.begin(f"exit {status}")

    def signals(self, caught: int = 0, ignored: int = 0) -> int:
        return self.actor.ask("pm", SIGNALS, struct.pack("<QQ", caught, ignored)).error

    def take(self) -> int:
        return struct.unpack_from("<Q", self.ask(TAKE).body)[0]


def bit(signum: int) -> int:
    return 1 << (signum - 1)


def process_stage(at_most: int = 6, servers: Iterable[str] = ("storage", "pipe", "tty"),
                  pm: dict[str, Any] | None = None) -> Stage:
    """pm, servers of handles with nothing behind them, and a component that starts processes."""
    stage = Stage(Manifest.empty(timeouts_ms={"stop": 60_000}))
    servers = list(servers)
    for name in servers:
        stage.manifest.add(name, file="shelf")
    stage.manifest.add("pm", kernel=["processes"],
                       calls=[{"to": name} for name in servers if name != "tty"],
                       sends=[name for name in servers if name == "tty"], **(pm or {}))
    stage.add("init", calls=["pm", *servers])
    stage.programs(by="pm", at_most=at_most, calls=["pm", *servers])
    return stage
