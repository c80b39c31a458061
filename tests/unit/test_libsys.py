"""libsys against a scripted bus: batching, checks before sending, and the sandbox's report."""

import os
import struct
from pathlib import Path

from scripted_bus import (ACK, ANSWER, CALL, MESSAGE, NOTIFY, RECEIVE, REPLY, REPLY_FLAG,
                          RIGHT_CALL, RIGHT_NOTIFY, RIGHT_SENDREC, SENDREC, Bus, Edge)

COMPONENTS = Path(os.environ["COMPONENTS"])
ECHO, HOLD, ANSWER_HELD, DIE, DROP_HELD = 0xe00, 0xe01, 0xe02, 0xe03, 0xe05


def codes(ops):
    return [op.code for op in ops]


def peer(**more):
    return Bus(str(COMPONENTS / "peer"), edges=[Edge(2, "prober", RIGHT_NOTIFY)], **more)


def test_first_packet_after_hello_is_a_receive():
    with peer() as bus:
        bus.hello()
        assert codes(bus.packet()) == [RECEIVE]


def test_reply_goes_out_with_the_next_receive():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.request(ECHO, source=2, token=55, payload=b"hello")
        reply, receive = bus.packet()
        assert (reply.code, reply.flags, reply.arg) == (REPLY, 0, 55)
        assert reply.payload == b"hello"
        assert receive.code == RECEIVE


def test_large_reply_is_not_copied_into_the_batch():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.request(ECHO, source=2, token=56, payload=b"x" * 65536)
        (reply,) = bus.packet()
        assert reply.code == REPLY and len(reply.payload) == 65536
        assert codes(bus.packet()) == [RECEIVE]


def test_unchecked_reply_goes_out_with_others():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.request(HOLD, source=2, token=1)
        assert codes(bus.packet()) == [RECEIVE]
        bus.request(DROP_HELD, source=2, token=2)
        late, answer, receive = bus.packet()
        assert (late.code, late.flags, late.arg) == (REPLY, 0, 1)
        assert (answer.code, answer.arg, answer.status) == (REPLY, 2, 0)
        assert receive.code == RECEIVE


def test_late_reply_is_acknowledged():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.request(HOLD, source=2, token=1)
        assert codes(bus.packet()) == [RECEIVE]
        bus.request(ANSWER_HELD, source=2, token=2)
        (late,) = bus.packet()
        assert (late.code, late.flags, late.arg) == (REPLY, ACK, 1)
        bus.deliver(ANSWER, error=-116)  # ESTALE
        answer, _ = bus.packet()
        assert (answer.arg, answer.status) == (2, -116)


def test_notification_is_not_answered():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.deliver(MESSAGE, type=1, source=2, token=0x5)
        assert codes(bus.packet()) == [RECEIVE]


def test_rights_and_limits_are_checked_before_sending():
    """The prober's first checks never reach the bus; what does is what the manifest allows."""
    edges = [Edge(2, "peer", RIGHT_SENDREC | RIGHT_CALL | RIGHT_NOTIFY),
             Edge(3, "mortal", RIGHT_SENDREC | RIGHT_CALL | RIGHT_NOTIFY)]
    with Bus(str(COMPONENTS / "prober"), edges=edges, calls_max=4) as bus:
        bus.hello()
        (largest,) = bus.packet()  # the first that passes libsys's own checks
        assert (largest.code, largest.dst, len(largest.payload)) == (SENDREC, 2, 65536)
        bus.deliver(ANSWER, payload=largest.payload)
        lines = [bus.log.readline() for _ in range(7)]
        assert "stranger sendrec: EPERM" in lines[0]
        assert "stranger call: EPERM" in lines[1]
        assert "stranger notify: EPERM" in lines[2]
        assert "stranger lookup: ENOENT" in lines[3]
        assert "oversized sendrec: EMSGSIZE" in lines[4]
        assert "oversized call: EMSGSIZE" in lines[5]
        assert "largest sendrec: OK" in lines[6]

        call, ask = bus.packet()  # a call waits for the next exchange
        assert (call.code, call.arg, ask.code, ask.type) == (CALL, 77, SENDREC, ANSWER_HELD)
        bus.deliver(ANSWER)
        assert codes(bus.packet()) == [RECEIVE]
        bus.deliver(MESSAGE, type=HOLD | REPLY_FLAG, source=2, token=77)
        assert codes(bus.packet()) == [SENDREC]
        bus.deliver(ANSWER, status=-116)

        ops = bus.packet()  # four calls fit, the fifth was refused; then the deadline's sendrec
        assert codes(ops) == [CALL] * 4 + [SENDREC]
        bus.deliver(ANSWER, error=-110)
        bus.packet()
        text = "".join(bus.log.readline() for _ in range(7))
        assert "calls in flight: 4" in text
        assert "one call more: EAGAIN" in text
        assert "deadline: ETIMEDOUT" in text


def test_shutdown_is_handled_inside():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.shutdown()


def test_end_of_the_bus_ends_the_component():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.channel.close()
        assert bus.wait() == 1
        assert "the bus is gone" in bus.log.read()


def test_crash_leaves_a_report():
    with peer() as bus:
        bus.hello()
        bus.packet()
        bus.request(DIE, source=2, token=9)
        assert bus.wait() == -6
        text = bus.log.read()
        assert "subject: crashed: signal 6 (ABRT)" in text
        assert " main+0x" in text
        assert "message from prober: type 0xe03" in text


def test_sandbox_names_each_forbidden_call_once():
    with Bus(str(COMPONENTS / "forbidden")) as bus:
        bus.hello()
        bus.packet()  # its raw packet to the first endpoint
        bus.deliver(ANSWER, error=-1)
        bus.packet()
        text = bus.shutdown()
        late = [line for line in text.splitlines() if " late " in line]
        assert len(late) == 13 and not any("allowed" in line for line in late), text
        for name in ("openat", "socket", "fork", "ptrace", "process_vm_readv", "execve"):
            assert text.count(f"system call {name} (") == 1, text


def run_forbidden(**more):
    with Bus(str(COMPONENTS / "forbidden"), args=("socket",), **more) as bus:
        bus.hello()
        bus.packet()
        bus.deliver(ANSWER, error=-1)
        bus.packet()
        return bus.shutdown()


def test_manifest_may_allow_a_call():
    assert "late socket: EPERM" in run_forbidden()
    assert "late socket: allowed" in run_forbidden(syscalls=("socket",))


def test_trace_names_and_carries_out():
    text = run_forbidden(sandbox=2)
    assert "late socket: allowed" in text
    assert text.count("system call socket (41) is not in the sandbox's list; carried out") == 1


def test_alarm_is_a_kernel_call():
    edges = [Edge(2, "counter", RIGHT_CALL | RIGHT_NOTIFY)]
    with Bus(str(COMPONENTS / "asker"), edges=edges) as bus:
        bus.hello()
        (alarm,) = bus.packet()
        bit, at_us = struct.unpack_from("<I4xQ", alarm.body)
        assert (alarm.code, alarm.dst, alarm.type, bit) == (SENDREC, 0, 0x21, 0)
        assert at_us > 1000000
        bus.deliver(ANSWER)
        call, receive = bus.packet()
        assert (call.code, call.dst, receive.code) == (CALL, 2, RECEIVE)
        assert NOTIFY not in codes([call, receive])
