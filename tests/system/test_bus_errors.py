"""Every error of the bus, provoked by a real component."""

from __future__ import annotations

from proteos import Manifest, System

EXPECTED = """\
stranger sendrec: EPERM
stranger call: EPERM
stranger notify: EPERM
stranger lookup: ENOENT
oversized sendrec: EMSGSIZE
oversized call: EMSGSIZE
largest sendrec: OK
held call: OK
first answer: OK
held call's answer: OK
second answer: ESTALE
calls in flight: 16
one call more: EAGAIN
deadline: ETIMEDOUT
sendrec to one that dies: ERESTARTED
call pending at one that died: ERESTARTED
told of the restart: OK
sendrec after its restart: OK
told of the death: OK
sendrec to the dead: EDEADSRCDST
call to the dead: OK
call to the dead's answer: EDEADSRCDST
call before death: OK
incarnation: 2
answer to a former life: ESTALE
done
"""


DEADLINE_MS = 5000  # within which the peer can be restarted on a machine that has other work


def errors_manifest() -> Manifest:
    manifest = Manifest.empty()
    manifest.add("peer", restart="always")
    manifest.add("mortal", file="peer", restart="never")
    manifest.add("prober", restart="always",
                 calls=[{"to": "peer", "deadline_ms": DEADLINE_MS}, {"to": "mortal"}])
    return manifest


def shown(system: System) -> str:
    """What the prober has logged of what is expected."""
    lines = [line.split("prober: ", 1)[1] for line in system.log("prober").splitlines()
             if "prober: " in line]
    return "".join(line + "\n" for line in lines
                   if any(line.startswith(e.split(":")[0] + ":") or line == e
                          for e in EXPECTED.splitlines()))


def test_every_error():
    with System(errors_manifest()) as system:
        system.wait(lambda: "prober: done" in system.log("prober"), "the prober's end")
        assert shown(system) == EXPECTED


def test_component_that_hangs_in_a_handler():
    """Its caller gets an error, it cannot be updated, and killing it brings it back."""
    manifest = Manifest.empty(timeouts_ms={"start": 30000, "load": 1000})
    manifest.add("peer", restart="always")
    manifest.add("prober", args=["hang"], calls=[{"to": "peer", "deadline_ms": DEADLINE_MS}])
    with System(manifest) as system:
        system.wait(lambda: "sendrec to one that hangs: ETIMEDOUT" in system.log("prober"),
                    "the deadline")
        pid = system.status()["peer"].pid
        done = system.try_prctl("update", "peer", "/bin/peer")
        assert done.returncode == 3
        assert "the running version of peer did not answer" in done.stdout, done.stdout
        assert system.status()["peer"].pid == pid
        system.kill("peer")
        system.wait(lambda: "sendrec after it was killed: OK" in system.log("prober"),
                    "its successor's answer")
