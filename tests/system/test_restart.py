"""Restarts: a component that dies comes back, one that dies again and again does not."""

from __future__ import annotations

from proteos import Manifest, System

FAILURES_MAX = 8  # in quick succession, bus/lifecycle.c


def test_component_that_keeps_dying_is_given_up():
    with System(Manifest.empty().add("counter", restart="always")) as system:
        for restarts in range(FAILURES_MAX + 1):
            component = system.wait(
                lambda: [c for c in [system.status()["counter"]]
                         if c.state == "running" and c.restarts == restarts],
                f"restart {restarts}")[0]
            system.kill("counter")
            system.wait(lambda: system.status()["counter"].pid != component.pid, "its death")
        system.wait(lambda: "counter has died 9 times in quick succession: it is not started again"
                    in system.log("instance"), "the bus to give it up")
        assert system.status()["counter"].state == "dead"
        assert system.status()["um"].state == "running"


def test_component_without_restart_stays_dead():
    with System(Manifest.empty().add("counter", restart="never")) as system:
        system.kill("counter")
        system.wait(lambda: system.status()["counter"].state == "dead", "its death")
        assert system.status()["counter"].restarts == 0
        assert "counter" in system.log("counter")
        assert "was killed by signal 9" in system.log("instance")

