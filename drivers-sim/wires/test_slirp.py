"""proteos-slirp, from both its sides: raw frames on its socket, TCP on the host's loopback.

Run with the helper's path in PROTEOS_SLIRP (meson test does)."""
import os
import re
import select
import signal
import socket
import struct
import subprocess

import pytest

GATEWAY, GUEST = "10.0.2.2", "10.0.2.15"
GUEST_MAC = bytes.fromhex("525400123456")
BROADCAST = b"\xff" * 6
TIMEOUT_S = 10


class Wire:
    """The helper, and the guest's end of its wire."""

    def __init__(self, *options):
        self.sock, theirs = socket.socketpair()
        report_read, report_write = os.pipe()
        self.sock.settimeout(TIMEOUT_S)
        self.process = subprocess.Popen(
            [os.environ["PROTEOS_SLIRP"], "--fd", str(theirs.fileno()),
             "--report-fd", str(report_write), *options],
            pass_fds=[theirs.fileno(), report_write], stderr=subprocess.PIPE)
        theirs.close()
        os.close(report_write)
        with os.fdopen(report_read) as report:
            self.report = report.read().splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def send(self, *frames):
        self.sock.sendall(b"".join(struct.pack(">I", len(f)) + f for f in frames))

    def _read(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            assert part, "the helper closed the wire"
            data += part
        return data

    def receive(self, wanted):
        """The first frame for which `wanted` is true."""
        while True:
            frame = self._read(struct.unpack(">I", self._read(4))[0])
            if wanted(frame):
                return frame


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def arp(op, to_mac, to_ip):
    return (to_mac + GUEST_MAC + struct.pack(">HHHBBH", 0x0806, 1, 0x0800, 6, 4, op) + GUEST_MAC +
            socket.inet_aton(GUEST) + to_mac + socket.inet_aton(to_ip))


def is_arp(op):
    return lambda f: f[12:14] == b"\x08\x06" and f[20:22] == struct.pack(">H", op)


def ipv4(protocol, to_mac, to_ip, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                       socket.inet_aton(GUEST), socket.inet_aton(to_ip))
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return to_mac + GUEST_MAC + b"\x08\x00" + head + payload


def echo_request(identity, sequence, data):
    body = struct.pack(">BBHHH", 8, 0, 0, identity, sequence) + data
    return body[:2] + struct.pack(">H", checksum(body)) + body[4:]


def gateway_mac(wire):
    wire.send(arp(1, BROADCAST, GATEWAY))
    reply = wire.receive(is_arp(2))
    assert reply[28:32] == socket.inet_aton(GATEWAY)
    return reply[22:28]


def test_arp_and_ping():
    with Wire() as wire:
        assert wire.report == []
        mac = gateway_mac(wire)
        data = bytes(range(64))
        wire.send(ipv4(1, mac, GATEWAY, echo_request(7, 3, data)))
        reply = wire.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
        assert reply[34] == 0 and reply[38:42] == struct.pack(">HH", 7, 3)
        assert reply[42:106] == data
        assert reply[30:34] == socket.inet_aton(GUEST)


def test_many_frames_in_pieces():
    """Frames that arrive byte by byte, and many in one write."""
    with Wire() as wire:
        mac = gateway_mac(wire)
        ping = ipv4(1, mac, GATEWAY, echo_request(1, 1, b"x" * 400))
        for byte in struct.pack(">I", len(ping)) + ping:
            wire.sock.send(bytes([byte]))
        wire.send(*[ping] * 200)
        for _ in range(201):
            reply = wire.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
            assert reply[42:442] == b"x" * 400


def test_a_guest_that_does_not_read_is_not_read_from():
    """What the helper holds is bounded, and nothing of it is lost."""
    with Wire() as wire:
        mac = gateway_mac(wire)
        ping = ipv4(1, mac, GATEWAY, echo_request(1, 1, b"x" * 1400))
        frame = struct.pack(">I", len(ping)) + ping
        sent = 0
        wire.sock.settimeout(0.5)  # the helper has long stopped reading by then
        with pytest.raises(TimeoutError):
            while sent < 10_000:
                wire.sock.sendall(frame)
                sent += 1
        assert 0 < sent < 3000
        wire.sock.settimeout(TIMEOUT_S)
        for _ in range(sent):
            reply = wire.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
            assert reply[42:1442] == b"x" * 1400


def test_forward_reports_its_port_and_connects():
    with Wire("--hostfwd", "127.0.0.1:0-10.0.2.15:80", "--hostfwd",
              "127.0.0.1:0-10.0.2.15:443") as wire:
        ports = [int(re.fullmatch(r"127\.0\.0\.1:(\d+)", line)[1]) for line in wire.report]
        assert len(ports) == 2 and 0 not in ports and ports[0] != ports[1]
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", ports[1]))
        request = wire.receive(is_arp(1))
        assert request[38:42] == socket.inet_aton(GUEST)
        wire.send(arp(2, request[6:12], GATEWAY))
        syn = wire.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 6)
        assert struct.unpack(">H", syn[36:38])[0] == 443
        assert syn[47] & 0x02
        client.close()


def test_nothing_outside_without_open():
    """A connection to the host's loopback, through the gateway, is refused or ignored."""
    with Wire() as wire, socket.create_server(("127.0.0.1", 0)) as server:
        mac = gateway_mac(wire)
        port = server.getsockname()[1]
        syn = struct.pack(">HHIIBBHHH", 1234, port, 1, 0, 0x50, 2, 8192, 0, 0)
        pseudo = (socket.inet_aton(GUEST) + socket.inet_aton(GATEWAY) +
                  struct.pack(">BBH", 0, 6, len(syn)))
        syn = syn[:16] + struct.pack(">H", checksum(pseudo + syn)) + syn[18:]
        wire.send(ipv4(6, mac, GATEWAY, syn), ipv4(1, mac, GATEWAY, echo_request(9, 9, b"afterwards")))
        answer = wire.receive(lambda f: f[12:14] == b"\x08\x00")
        while answer[23] == 6:
            assert answer[47] & 0x04, "the connection was not refused"
            answer = wire.receive(lambda f: f[12:14] == b"\x08\x00")
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_ends_with_its_wire():
    with Wire() as wire:
        gateway_mac(wire)
        wire.sock.close()
        assert wire.process.wait(TIMEOUT_S) == 0


def test_ends_when_the_framing_is_broken():
    with Wire() as wire:
        wire.sock.sendall(b"\xff" * 64)
        assert wire.process.wait(TIMEOUT_S) == 0


def test_ends_with_its_parent():
    ours, theirs = socket.socketpair()
    os.set_inheritable(theirs.fileno(), True)
    shell = subprocess.Popen(
        ["sh", "-c", '"$0" --fd "$1" & echo $!; wait', os.environ["PROTEOS_SLIRP"],
         str(theirs.fileno())], stdout=subprocess.PIPE, close_fds=False, text=True)
    helper = os.pidfd_open(int(shell.stdout.readline()))
    ours.settimeout(TIMEOUT_S)
    wire = Wire.__new__(Wire)
    wire.sock = ours
    gateway_mac(wire)
    shell.send_signal(signal.SIGKILL)
    shell.wait()
    shell.stdout.close()
    assert select.select([helper], [], [], TIMEOUT_S)[0], "the helper outlived its parent"
    os.close(helper)
    ours.close()
    theirs.close()


@pytest.mark.parametrize("options", [
    [], ["--fd"], ["--fd", "3", "extra"], ["--fd", "3", "--hostfwd", "nonsense"],
    ["--fd", "3", "--hostfwd", "127.0.0.1:0-10.0.2.15:0"],
    ["--fd", "3", "--hostfwd", "127.0.0.1:70000-10.0.2.15:80"]])
def test_wrong_options(options):
    done = subprocess.run([os.environ["PROTEOS_SLIRP"], *options], capture_output=True, text=True)
    assert done.returncode == 2
    assert "proteos-slirp" in done.stderr
