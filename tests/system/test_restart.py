"""Restarts: a component that dies comes back, one that dies again and again does not."""

from __future__ import annotations

import time

from proteos import Manifest, System

FAILURES_MAX = 8  # in quick succession, bus/lifecycle.c
STEADY_S = 1.1  # longer than what counts as that


def restarted(system: System, restarts: int) -> int:
    """Waits until the counter runs after so many restarts; its pid."""
    def pid() -> int:
        counter = system.status()["counter"]
        return counter.pid if (counter.state, counter.restarts) == ("running", restarts) else 0

    return system.wait(pid, f"restart {restarts}")


def kill_repeatedly(system: System, times: int) -> None:
    """So many times, or until it is given up."""
    for restarts in range(times):
        pid = restarted(system, restarts)
        system.kill("counter")
        system.wait(lambda: system.status()["counter"].pid != pid, "its death")
        if system.status()["counter"].state == "given up":
            return


def test_component_that_keeps_dying_is_given_up():
    with System(Manifest.empty().add("counter", restart="always")) as system:
        kill_repeatedly(system, 100)  # a death that is late does not count, but most are not
        assert "counter has failed 9 times in quick succession: it is not started again" in \
            system.log("instance")
        assert system.status()["counter"].state == "given up"
        assert system.status()["um"].state == "running"


def test_an_update_does_not_make_a_component_young():
    """One that has run for a while may die soon after an update without being given up."""
    with System(Manifest.empty().add("counter", restart="always")) as system:
        kill_repeatedly(system, FAILURES_MAX)
        restarted(system, FAILURES_MAX)
        time.sleep(STEADY_S)
        system.update("counter", "/bin/counter.new")
        system.kill("counter")
        restarted(system, FAILURES_MAX + 1)


def test_component_without_restart_stays_dead():
    with System(Manifest.empty().add("counter", restart="never")) as system:
        system.kill("counter")
        system.wait(lambda: system.status()["counter"].state == "dead", "its death")
        assert system.status()["counter"].restarts == 0
        assert "counter" in system.log("counter")
        assert "was killed by signal 9" in system.log("instance")

