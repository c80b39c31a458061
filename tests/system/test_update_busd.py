"""The bus itself as a member of an update: everybody stays connected, and nothing is lost."""

from __future__ import annotations

import os
import signal

import pytest

from counting import counter_manifest, progress
from proteos import PATIENCE, System
from proteos.control import pb
from test_bus_errors import EXPECTED, errors_manifest, shown
from updating import (DONE, REFUSED, ROLLED_BACK, Held, asked, held, newcomer, patience, settled,
                      traced_um, wait_for_line, wait_until_held)

ALL = ["um", "e1000-model", "e1000", "net", "httpd", "busd"]
HAVE_NEW = {"um", "e1000", "net", "httpd", "busd"}


def frozen_since(system: System, before: set[int]) -> int:
    """The new busd's process id, once the old one hands over to it."""
    pid = system.wait(lambda: newcomer(system, before), "the new busd")
    system.wait(lambda: f"busd hands over to process {pid}" in system.log("instance"), "the freeze")
    return pid


def expect_rollback(system: System, output: str, before: Held, reason: str) -> None:
    """The same processes go on, nothing is left over, and the next update succeeds."""
    last = output.splitlines()[-1]
    assert last.startswith("UM: Live update failed: busd") and reason in last, output
    wait_until_held(system, before)
    assert system.instance().busd_updates == 0
    system.update("busd", "/bin/busd")
    assert system.instance().busd_updates == 1


def test_to_the_same_executable(counted):
    before = counted.instance()
    components = {name: c.pid for name, c in counted.status().items()}
    for round in range(1, 6):
        assert counted.update("busd", "/bin/busd").splitlines() == [
            "UM: Live update requested for busd.",
            "UM: Loading /bin/busd into memory...",
            "UM: Applying changes...",
            "UM: Cleaning up old version...",
            DONE,
        ]
        after = counted.instance()
        assert (after.busd_updates, after.busd_build_id) == (round, before.busd_build_id)
        assert after.busd_pid not in (before.busd_pid, 0)
        assert {name: c.pid for name, c in counted.status().items()} == components
        progress(counted)


def test_to_a_version_with_other_structures(counted):
    builds = set()
    for version in ("busd.new", "busd", "busd.new"):
        counted.update("busd", f"/bin/{version}")
        builds.add(counted.instance().busd_build_id)
        counted.update("counter", "/bin/counter")
        progress(counted)
    assert len(builds) == 2


@pytest.mark.parametrize("option", ["-validate", "-relocate", "-strict"])
def test_its_state_stands_every_test_of_transfers(counted, option):
    for version in ("busd.new", "busd"):
        counted.update("busd", f"/bin/{version}", None, option, "-check",
                       "bus.nendpoints == old(bus.nendpoints)")
        progress(counted)


def test_a_check_that_is_false_rolls_it_back(counted):
    before = settled(counted)
    done = counted.try_prctl("update", "busd", "/bin/busd", "-check", "bus.updates == 4711")
    assert done.returncode == ROLLED_BACK
    expect_rollback(counted, done.stdout, before, "check 'bus.updates == 4711' is false")


def test_state_filter_is_refused(counted):
    done = counted.try_prctl("update", "busd", "/bin/busd", "-state", "bus.updates == 0")
    assert done.returncode == REFUSED
    assert done.stdout == ("UM: Live update of busd refused: it is quiescent between any two "
                           "messages: it takes no filter.\n")


def test_with_um_and_others_in_one_transaction(counted):
    for round in range(1, 6):
        new = ".new" if round % 2 else ""
        counted.mupdate("busd", f"/bin/busd{new}")
        counted.mupdate("um", f"/bin/um{new}")
        counted.mupdate("counter", f"/bin/counter{new}")
        counted.mupdate("asker", "/bin/asker")
        assert counted.mupdate_start().splitlines()[-1] == DONE
        assert [c.updates for c in counted.status().values()] == [round] * 3
        assert counted.instance().busd_updates == round
        assert progress(counted)["version"] == (2 if round % 2 else 1)


def test_under_load(system, load):
    for round in range(1, 21):
        system.update("busd", "/bin/busd.new" if round % 2 else "/bin/busd")
        assert system.instance().busd_updates == round
    load.wait_until_busy()
    assert [c.restarts for c in system.status().values()] == [0] * 5


def test_the_whole_system_under_load(system, load):
    for round in range(1, 11):
        for name in ALL:
            system.mupdate(name, f"/bin/{name}{'.new' if round % 2 and name in HAVE_NEW else ''}")
        assert system.mupdate_start().splitlines()[-1] == DONE
        assert [c.updates for c in system.status().values()] == [round] * 5
        assert system.instance().busd_updates == round
    load.wait_until_busy()


@pytest.mark.root
def test_twenty_updates_leave_nothing(counted):
    counted.update("busd", "/bin/busd")
    before = settled(counted)
    for _ in range(20):
        counted.update("busd", "/bin/busd")
    counted.wait(lambda: (len(held(counted)[0]), *held(counted)[1:]) ==
                 (len(before[0]), *before[1:]), f"{before}, but for busd's process id")
    assert before[2][0] > 0 and before[2][1] > 0


def test_every_error_of_the_bus_during_updates():
    """Deadlines, stale tokens, restarts, calls in flight, payloads: all as without updates."""
    with System(errors_manifest()) as system:
        rounds = 0
        while "prober: done" not in system.log("prober"):
            system.update("busd", f"/bin/busd{'.new' if rounds % 2 else ''}")
            rounds += 1
            assert rounds < 300
        assert shown(system) == EXPECTED
        assert rounds > 1


@pytest.mark.parametrize("version, reason", [
    ("dead", "busd's new version crashed while loading (signal 6)"),
    ("crash", "busd's new version crashed during state transfer (signal 6)"),
    ("exit", "busd's new version exited with status 7 during state transfer"),
    ("refuse", "busd: violation:"),
    ("hang", "busd's new version did not answer within 5000 ms during state transfer"),
    ("narrow", "which does not fit a signed integer of 8 bits"),
])
@pytest.mark.parametrize("others", [[], ["um", "counter"]], ids=["alone", "with um and counter"])
def test_failing_version_is_rolled_back(counted, version, reason, others):
    before = settled(counted)
    counted.mupdate("busd", f"/bin/busd.{version}", None, *patience(version))
    for name in others:
        counted.mupdate(name, f"/bin/{name}.new", None, *patience(version))
    done = counted.try_prctl("mupdate-start")
    assert done.returncode == ROLLED_BACK, done.stdout
    expect_rollback(counted, done.stdout, before, reason)
    assert [c.updates for c in counted.status().values()] == [0] * 3
    assert progress(counted)["version"] == 1


@pytest.mark.parametrize("other, version, reason", [
    ("counter", "crash", "counter's new version crashed during state transfer (signal 11)"),
    ("um", "crash", "um's new version crashed during state transfer (signal 6)"),
])
def test_another_member_that_fails_rolls_busd_back(counted, other, version, reason):
    before = settled(counted)
    counted.mupdate("busd", "/bin/busd.new")
    counted.mupdate(other, f"/bin/{other}.{version}")
    done = counted.try_prctl("mupdate-start")
    assert done.returncode == ROLLED_BACK and reason in done.stdout
    wait_until_held(counted, before)
    counted.update("busd", "/bin/busd.new")
    progress(counted)


# A new busd that hangs, for who has all the time in the world to hit somebody meanwhile.
HANGING = ["update", "busd", "/bin/busd.hang", "-timeout", "transfer=60000"]


@pytest.mark.parametrize("signum, transfer_ms, reason", [
    (signal.SIGKILL, 60_000, "new version was killed during state transfer (signal 9)"),
    (signal.SIGSTOP, 4000, "new version did not answer within 4000 ms during state transfer"),
])
def test_new_busd_is_hit_while_the_old_one_is_frozen(counted, signum, transfer_ms, reason):
    before = settled(counted)
    prctl = counted.start_prctl("update", "busd", "/bin/busd.hang", "-timeout",
                                f"transfer={transfer_ms}")
    os.kill(frozen_since(counted, before[0]), signum)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == ROLLED_BACK
    expect_rollback(counted, output, before, reason)


@pytest.mark.parametrize("signum, load_ms, reason", [
    (signal.SIGKILL, 60_000, "busd's new version was killed while loading (signal 9)"),
    (signal.SIGSTOP, 4000, "busd's new version did not answer within 4000 ms while loading"),
])
def test_new_busd_is_hit_while_it_loads(counted, signum, load_ms, reason):
    before = settled(counted)
    prctl = counted.start_prctl("update", "busd", "/bin/busd.stuck", "-timeout", f"load={load_ms}")
    os.kill(counted.wait(lambda: newcomer(counted, before[0]), "the new busd"), signum)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == ROLLED_BACK
    expect_rollback(counted, output, before, reason)


def test_um_is_killed_while_busd_loads(counted):
    before = settled(counted)
    prctl = counted.start_prctl("update", "busd", "/bin/busd.stuck", "-timeout", "load=60000")
    new = counted.wait(lambda: newcomer(counted, before[0]), "the new busd")
    counted.kill("um")
    prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode != 0
    counted.wait_for_restart("um")
    counted.wait(lambda: new not in counted.processes(), "the new busd's end")
    counted.update("busd", "/bin/busd")


def test_component_that_dies_while_busd_is_frozen_is_restarted():
    """The loader keeps the news for the busd that goes on."""
    with System(counter_manifest()) as system:
        before, counter = set(system.processes()), system.status()["counter"].pid
        prctl = system.start_prctl(*HANGING)
        new = frozen_since(system, before)
        os.kill(counter, signal.SIGKILL)
        system.wait(lambda: counter not in system.processes(), "the counter's end")
        os.kill(new, signal.SIGKILL)
        prctl.communicate(timeout=PATIENCE)
        assert prctl.returncode == ROLLED_BACK
        system.wait_for_restart("counter")
        system.update("busd", "/bin/busd")


def test_old_busd_is_stopped_while_it_is_frozen(counted):
    """It goes on where it was: all that came meanwhile lies in its sockets."""
    before, busd = settled(counted), counted.instance().busd_pid
    prctl = counted.start_prctl(*HANGING)
    new = frozen_since(counted, before[0])
    os.kill(busd, signal.SIGSTOP)
    os.kill(new, signal.SIGKILL)
    counted.wait(lambda: new not in counted.processes(), "the new busd's end")
    os.kill(busd, signal.SIGCONT)
    output, _ = prctl.communicate(timeout=PATIENCE)
    expect_rollback(counted, output, before, "was killed during state transfer")


def test_old_busd_is_killed_while_it_is_frozen():
    """As at any other time the instance ends, with everything that belongs to it."""
    with System(counter_manifest()) as system:
        before, busd = settled(system), system.instance().busd_pid
        prctl = system.start_prctl(*HANGING)
        frozen_since(system, before[0])
        os.kill(busd, signal.SIGKILL)
        prctl.communicate(timeout=PATIENCE)
        assert prctl.returncode != 0
        system.wait(lambda: not system.processes(), "the instance's end")
        assert "busd was killed by signal 9 (Killed): the instance ends" in system.log("instance")


def test_clients_stay_attached_and_new_ones_wait(counted):
    """A trace, and a request that comes while nobody listens."""
    before = settled(counted)
    with traced_um(counted) as trace:
        prctl = counted.start_prctl(*HANGING)
        new = frozen_since(counted, before[0])
        with asked(counted, status=pb.StatusRequest()) as answer:
            os.kill(new, signal.SIGKILL)
            assert "counter" in {c.name for c in answer().components}
        prctl.communicate(timeout=PATIENCE)
        for version in ("busd.new", "busd"):
            counted.update("busd", f"/bin/{version}")
            wait_for_line(trace, "UM_COMMITTED")


def test_client_is_lost_while_busd_is_frozen(counted):
    before = settled(counted)
    prctl = counted.start_prctl(*HANGING)
    new = frozen_since(counted, before[0])
    prctl.kill()
    prctl.communicate()
    os.kill(new, signal.SIGKILL)
    # busd hears of both when it goes on: of the client, and from the loader that the update is off.
    ends = ("the client that requested it was lost", "UM: Live update failed: busd's new version was")
    counted.wait(lambda: any(end in counted.log("um") for end in ends), "the end in um's log")
    wait_until_held(counted, before)
    counted.update("busd", "/bin/busd")


def test_new_busd_restarts_and_ends_components():
    """Its link to the loader is a new one."""
    with System(counter_manifest()) as system:
        system.update("busd", "/bin/busd.new")
        system.kill("counter")
        system.wait_for_restart("counter")
        system.update("counter", "/bin/counter.new")
        done = system.try_prctl("update", "counter", "/bin/counter.crash")
        assert done.stdout.endswith("Rolled back to the old version.\n")
        system.kill("um")
        system.wait_for_restart("um")
        system.update("busd", "/bin/busd")


def test_death_of_a_busd_that_was_updated_ends_the_instance():
    with System(counter_manifest()) as system:
        system.update("busd", "/bin/busd.new")
        os.kill(system.instance().busd_pid, signal.SIGSEGV)
        system.wait(lambda: not system.processes(), "the instance's end")
        assert "busd was killed by signal 11" in system.log("instance")
