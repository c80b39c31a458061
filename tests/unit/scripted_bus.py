"""A bus whose every answer the test writes: what a component sends to it is exact and visible."""

import array
import os
import socket
import struct
from dataclasses import dataclass, field

PACKET = struct.Struct("<II")
OP = struct.Struct("<HHiQII")
MSG = struct.Struct("<iIiIQ40s")
DELIVERY = struct.Struct("<Ii")
HELLO = struct.Struct("<IiIIIIIIIIII32s32s")
EDGE = struct.Struct("<iII32s")

ABI_VERSION = 2
RECEIVE, SENDREC, CALL, NOTIFY, REPLY = 1, 2, 3, 4, 5
ACK = 1
MESSAGE, ANSWER, CONTROL = 1, 2, 3
KERN_HELLO, KERN_ALARM = 0x20, 0x21
KERN_REPORT, KERN_REGION = 0x25, 0x24
CTL_PREPARE, CTL_CONVERGE, CTL_THAW, CTL_LIVE, CTL_SHUTDOWN = 0x10, 0x11, 0x12, 0x13, 0x14
PLANNED, PREPARED, FROZEN, TRANSFERRED = 1, 2, 3, 4
REPLY_FLAG = 0x80000000
RIGHT_SENDREC, RIGHT_CALL, RIGHT_NOTIFY = 1, 2, 4

DEADLINE_S = 60.0


@dataclass
class Op:
    code: int
    flags: int
    dst: int
    arg: int
    type: int
    status: int
    body: bytes
    payload: bytes = b""


@dataclass
class Edge:
    endpoint: int
    name: str
    rights: int
    deadline_ms: int = 0


@dataclass
class Bus:
    """Starts `executable` as a component and plays the bus for it."""

    executable: str
    args: tuple = ()
    edges: list = field(default_factory=list)
    calls_max: int = 16
    sandbox: int = 1
    syscalls: tuple = ()
    options: bytes = b""  # of the update that it is started for
    name: str = "subject"
    replaces: "Bus | None" = None  # start as the new version of that one

    @property
    def start(self):
        return 2 if self.replaces else 0

    def __enter__(self):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(DEADLINE_S)
        exe = os.open(self.executable, os.O_RDONLY)
        log_read, log_write = os.pipe()
        high = [os.dup2(fd, 200 + i) for i, fd in enumerate((theirs.fileno(), exe, log_write))]
        places = [3, 4, 2]
        if self.replaces:
            self.state_channel, state = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            old = os.open(self.replaces.executable, os.O_RDONLY)
            high += [os.dup2(state.fileno(), 203), os.dup2(old, 204)]
            places += [5, 6]
            state.close()
            os.close(old)
        actions = [(os.POSIX_SPAWN_DUP2, fd, place) for fd, place in zip(high, places)]
        self.pid = os.posix_spawn(self.executable, [self.executable, *self.args], dict(os.environ),
                                  file_actions=actions)
        for fd in (*high, exe, log_write):
            os.close(fd)
        theirs.close()
        self.log = os.fdopen(log_read)
        self.status = None
        self.greeted = False
        return self

    def __exit__(self, *exc):
        self.channel.close()
        if self.status is None:
            os.kill(self.pid, 9)
            self.wait()
        self.log.close()

    def wait(self):
        """Waits for the component's end. @return its exit status, or minus a signal's number"""
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def packet(self):
        """The operations of the next packet. Whether the manifest has changed, of which a component
        asks before it takes a no for an answer, is answered here."""
        ops = self._packet()
        while self.greeted and (ops[-1].code, ops[-1].dst, ops[-1].type) == (SENDREC, 0, KERN_HELLO):
            self._answer_hello()
            ops = ops[:-1] + self._packet()
        return ops

    def _packet(self):
        data = self.channel.recv(1 << 18)
        assert data, "the component has gone"
        version, nops = PACKET.unpack_from(data)
        assert version == ABI_VERSION
        at, ops, bulk = PACKET.size, [], 0
        for _ in range(nops):
            code, flags, dst, arg, payload, _ = OP.unpack_from(data, at)
            _, type, status, _, _, body = MSG.unpack_from(data, at + OP.size)
            ops.append((Op(code, flags, dst, arg, type, status, body), payload))
            at += OP.size + MSG.size
            bulk += bool(payload)
        assert bulk <= 1, "a packet has at most one payload"
        for op, payload in ops:
            op.payload = data[at:at + payload]
            at += payload
        assert at == len(data)
        return [op for op, _ in ops]

    def deliver(self, kind, type=0, source=0, status=0, token=0, error=0, body=b"", payload=b"",
                fds=()):
        data = DELIVERY.pack(kind, error)
        data += MSG.pack(source, type, status, len(payload), token, body) + payload
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.channel.sendmsg([data], rights)

    def hello(self, incarnation=1):
        """Answers the component's first call."""
        (op,) = self._packet()
        assert (op.code, op.dst, op.type) == (SENDREC, 0, KERN_HELLO)
        self.incarnation = incarnation
        self._answer_hello()
        self.greeted = True

    def _answer_hello(self):
        names = b"".join(s.encode() + b"\0" for s in self.syscalls)
        data = HELLO.pack(ABI_VERSION, 7, self.start, self.incarnation, self.calls_max, 0, self.sandbox,
                          len(self.edges), 0, len(names), len(self.options), 0, self.name.encode(),
                          b"test")
        for e in self.edges:
            data += EDGE.pack(e.endpoint, e.rights, e.deadline_ms, e.name.encode())
        self.deliver(ANSWER, payload=data + names + self.options)

    def request(self, type, source, token, body=b"", payload=b""):
        """Delivers a request to the waiting component."""
        self.deliver(MESSAGE, type=type, source=source, token=token, body=body, payload=payload)

    def call(self, type, body=b"", payload=b"", token=1):
        """A request, its reply, and the component waiting again. @return (status, reply's body)"""
        self.request(type, source=2, token=token, body=body, payload=payload)
        reply, receive = self.packet()
        assert (reply.code, reply.arg, receive.code) == (REPLY, token, RECEIVE)
        return reply.status, reply.body

    def report(self, phase):
        """Waits for the report of a phase and acknowledges it. @return (status, text)"""
        (op,) = self.packet()
        assert (op.code, op.dst, op.type) == (SENDREC, 0, KERN_REPORT), op
        got, status = struct.unpack_from("<Ii", op.body)
        assert got == phase, f"phase {got} reported, {phase} expected: {op.payload}"
        self.deliver(ANSWER)
        return status, op.payload.rstrip(b"\0").decode()

    def prepare(self, new, filter=""):
        """Gives the old version the state channel to `new`."""
        self.deliver(CONTROL, type=CTL_PREPARE, payload=filter.encode() + b"\0",
                     fds=[new.state_channel.fileno()])
        new.state_channel.close()
        result = self.report(PREPARED)
        assert [op.code for op in self.packet()] == [RECEIVE]
        return result

    def converge(self):
        self.deliver(CONTROL, type=CTL_CONVERGE)

    def thaw(self):
        self.deliver(CONTROL, type=CTL_THAW)
        assert [op.code for op in self.packet()] == [RECEIVE]

    def live(self, calls_in_flight=0):
        self.deliver(CONTROL, type=CTL_LIVE, body=struct.pack("<I", calls_in_flight))

    def shutdown(self):
        """Ends the component in order. @return its log"""
        self.deliver(CONTROL, type=CTL_SHUTDOWN)
        text = self.log.read()
        assert self.wait() == 0, text
        return text
