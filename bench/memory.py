"""Bulk data between two components: by a grant that both have mapped, beside message payload."""

from __future__ import annotations

import re
import statistics

from proteos import Manifest, System, wait_for

from result import distribution, result

REPEATS = 5
CALLS = 500


def _run() -> tuple[dict[int, tuple[float, float]], float]:
    """Of each size the microseconds by payload and by grant; and of setting an area up."""
    manifest = Manifest.empty()
    manifest.add("mm", kernel=["memory"])
    manifest.add("consumer", "bench-bulk", calls=[{"to": "mm"}])
    manifest.add("producer", "bench-bulk", args=["consumer", str(CALLS)],
                 calls=[{"to": "mm"}, {"to": "consumer"}])
    with System(manifest) as system:
        wait_for(lambda: re.search(r"\bdone$", system.log("producer"), re.M), "the producer", 120)
        log = system.log("producer")
    sizes = re.findall(r"\bbulk (\d+) payload (\d+) grant (\d+)$", log, re.M)
    setup = re.search(r"\bmap (\d+)$", log, re.M)
    assert setup
    return ({int(n): (float(p) / 1000, float(g) / 1000) for n, p, g in sizes},
            float(setup[1]) / 1000)


def measure() -> list[dict]:
    runs = [_run() for _ in range(REPEATS)]
    setup = [us for _, us in runs]
    results, pays = [], 0
    for n in runs[0][0]:
        payload = [sizes[n][0] for sizes, _ in runs]
        grant = [sizes[n][1] for sizes, _ in runs]
        p, g = statistics.median(payload), statistics.median(grant)
        if g < p and not pays:
            pays = n
        if g >= p:
            pays = 0
        results.append(result(f"bulk_{n}_us", g, "us", "message payload", p))
    saved = next(r["peer_value"] - r["value"] for r in results if r["name"] == "bulk_65536_us")
    results.append(result("bulk_setup_us", statistics.median(setup), "us",
                          "saved by a transfer of 64 KiB", saved, setup_us=distribution(setup),
                          pays_from=f"{pays} bytes"))
    return results
