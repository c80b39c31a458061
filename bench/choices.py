"""What settings of the manifest change, each beside the default: figures behind docs/decisions.md."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from typing import Iterator

from proteos import Manifest, System
from proteos.load import Load
from proteos.namespace import TapNamespace, Unavailable

from result import distribution, result

ROUNDS = 4  # the variants in turn, so that a disturbance hits all alike
BYTES = 100_000_000
REQUESTS = 500
ADDRESS = "http://10.0.2.15"
SERVERS = ("e1000-model", "e1000", "net", "httpd")


def _download_mbps(inside: TapNamespace) -> float:
    done = subprocess.run([*inside.prefix, "curl", "--silent", "--fail", "-o", "/dev/null", "-w",
                           "%{time_total}", f"{ADDRESS}/bytes/{BYTES}"],
                          check=True, text=True, stdout=subprocess.PIPE)
    return BYTES * 8 / 1e6 / float(done.stdout)


def _requests_per_second(inside: TapNamespace) -> float:
    """Of one client that asks for the next page when it has the last one."""
    with Load(ADDRESS, connections=1, streams=0, prefix=inside.prefix) as load:
        load.wait_until_busy()
        figures = load.finish()
    return 1e6 / figures["latency_p50_us"]


def _manifest(inside: TapNamespace, model_elsewhere: bool) -> Manifest:
    manifest = Manifest().wire(kind="tap", device=inside.device)
    manifest.data["wires"][0].pop("forward")
    if not model_elsewhere:
        manifest.component("e1000-model").pop("cpu")
    return manifest


def _model_cpu(inside: TapNamespace) -> list[dict]:
    mbps: dict[bool, list[float]] = {True: [], False: []}
    rate: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for elsewhere in (True, False):
            with System(_manifest(inside, elsewhere), prefix=inside.prefix):
                _download_mbps(inside)  # warm up
                mbps[elsewhere].append(_download_mbps(inside))
                rate[elsewhere].append(_requests_per_second(inside))
    return [result("model_on_other_cpu_" + name, statistics.median(values[True]), unit,
                   "on the personality's", statistics.median(values[False]),
                   other=distribution(values[True]), personality=distribution(values[False]))
            for name, unit, values in (("mbps", "Mbit/s", mbps), ("requests", "1/s", rate))]


def _messages_handled(system: System) -> dict[str, int]:
    return {name: c.messages for name, c in system.status().items() if name in SERVERS}


def _urls(system: System) -> Iterator[str]:
    return (system.url("/bytes/100") for _ in range(REQUESTS))


def _messages_per_request() -> list[dict]:
    """One keep-alive connection; the peer is the least that the path can take, one a server."""
    with System() as system:
        subprocess.run(["curl", "-sf", "-o", "/dev/null", system.url("/bytes/100")], check=True)
        before = _messages_handled(system)
        subprocess.run(["curl", "-sf", *(word for url in _urls(system)
                                         for word in ("-o", "/dev/null", url))], check=True)
        after = _messages_handled(system)
    each = {name: (after[name] - before[name]) / REQUESTS for name in SERVERS}
    return [result("messages_per_request", sum(each.values()), "messages", "one a server",
                   len(SERVERS), by_server=", ".join(f"{n} {v:.1f}" for n, v in each.items()))]


def measure() -> list[dict]:
    results = _messages_per_request()
    try:
        with TapNamespace() as inside:
            return results + _model_cpu(inside)
    except Unavailable as reason:
        if "tap" in os.environ.get("REQUIRE", "").split(","):
            raise
        print(f"bench: skipped: tap ({reason})", file=sys.stderr)
        return results
