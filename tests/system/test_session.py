"""The update session, to the letter, under load."""

from __future__ import annotations

EXPECTED = """\
UM: Live update requested for net, e1000.
UM: Loading /bin/net.new into memory...
UM: Loading /bin/e1000.new into memory...
UM: Applying changes...
UM: Cleaning up old version...
UM: Live update done.
"""


def session(system, option: str) -> str:
    assert system.prctl("mupdate", "net", "/bin/net.new", option, "num_pending_writes == 0") == ""
    assert system.prctl("mupdate", "e1000", "/bin/e1000.new") == ""
    return system.prctl("mupdate-start")


def test_session_to_the_letter(system, load):
    before = system.status()
    assert session(system, "-state") == EXPECTED
    after = system.status()
    for name in ("net", "e1000"):
        assert after[name].updates == 1
        assert after[name].pid != before[name].pid
        assert after[name].build_id != before[name].build_id
        assert after[name].path.endswith(f"{name}.new")
    for name in ("um", "httpd", "e1000-model"):
        assert after[name].pid == before[name].pid
        assert after[name].updates == 0
    load.mark()
    load.wait_until_busy()


def test_two_dashes_are_accepted_too(system):
    assert session(system, "--state") == EXPECTED


def test_cancel_forgets_what_was_requested(system):
    before = system.status()
    system.mupdate("net", "/bin/net.new")
    system.prctl("mupdate-cancel")
    refused = system.try_prctl("mupdate-start")
    assert refused.returncode != 0
    assert len(refused.stdout.splitlines()) == 1
    assert system.status()["net"].pid == before["net"].pid


def test_update_of_one_component(system, load):
    output = system.update("net", "/bin/net.new", "num_pending_writes == 0")
    assert output.splitlines()[0] == "UM: Live update requested for net."
    assert output.splitlines()[-1] == "UM: Live update done."
    assert system.status()["net"].updates == 1
