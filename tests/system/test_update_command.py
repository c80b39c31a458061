"""prctl update, its exit status, and the journal that prctl history reads."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from counting import NEVER_TRUE, progress, unchanged
from proteos.build import COMPONENTS
from updating import ABANDONED, REFUSED, ROLLED_BACK, history, wait_for_line


# ---- to the executable that runs, of all, as a dry run ----


def test_update_to_itself(counted):
    before = counted.status()["counter"]
    counted.update("counter", "self")
    after = counted.status()["counter"]
    assert (after.build_id, after.updates) == (before.build_id, 1) and after.pid != before.pid
    counted.update("counter", "/bin/counter.new")
    counted.update("counter", "self")
    assert progress(counted)["version"] == 2


def test_itself_is_what_runs_when_the_update_starts(counted):
    counted.mupdate("counter", "self")
    counted.update("counter", "/bin/counter.new")
    counted.mupdate_start()
    assert progress(counted)["version"] == 2


def test_update_of_all_from_a_folder(counted, tmp_path):
    new = {"counter": "counter.new", "asker": "asker", "um": "um", "busd": "busd.new"}
    for name, file in new.items():
        (tmp_path / name).symlink_to(COMPONENTS / file)
    done = counted.try_prctl("update", "--all", str(tmp_path))
    (tmp_path / "asker").unlink()
    missing = counted.try_prctl("update", "--all", str(tmp_path))
    assert missing.returncode == REFUSED and "asker refused: " in missing.stdout, missing.stdout
    assert done.returncode == 0, done.stdout
    assert progress(counted)["version"] == 2
    assert {name: c.updates for name, c in counted.status().items()} == \
        {"um": 1, "counter": 1, "asker": 1}
    assert counted.instance().busd_updates == 1


def test_dry_run_shows_the_plan_and_changes_nothing(counted):
    before = counted.status()["counter"]
    output = counted.prctl("update", "counter", "/bin/counter.new", "--dry-run")
    assert "UM: Live update requested for counter, as a dry run.\n" in output
    assert "KB of variables and at most" in output
    assert "UM: Nothing was changed: this was a dry run.\n" in output
    assert "Plan for counter:\ncounter: automatic\n" in output
    assert "struct note" in output
    unchanged(counted, before)
    counted.wait(lambda: sum("counter" in c for c in counted.processes().values()) == 1,
                 "the end of the new version")
    counted.update("counter", "/bin/counter.new")


def test_dry_run_says_what_would_be_refused(counted):
    before = counted.status()["counter"]
    done = counted.try_prctl("update", "counter", "/bin/asker", "--dry-run")
    assert done.returncode == REFUSED and "was built for component asker" in done.stdout
    done = counted.try_prctl("update", "counter", "/bin/counter.new", "--dry-run", "-state", "nix")
    assert done.returncode == REFUSED and "nix" in done.stdout
    unchanged(counted, before)


def test_dry_run_needs_no_file_of_what_runs(counted, tmp_path):
    """Neither its name, which may be another file's by now, nor the file."""
    version = tmp_path / "c"
    shutil.copy(COMPONENTS / "counter.new", version)
    counted.update("counter", version)
    shutil.copy(COMPONENTS / "asker", tmp_path / "other")
    (tmp_path / "other").rename(version)
    assert "counter: automatic\n" in counted.prctl("update", "counter", "self", "--dry-run")
    version.unlink()
    assert "counter: automatic\n" in counted.prctl("update", "counter", "self", "--dry-run")


def test_dry_run_says_when_the_remembered_file_is_another(counted, tmp_path):
    version = tmp_path / "counter"
    shutil.copy(COMPONENTS / "counter.new", version)
    counted.mupdate("counter", version)
    version.unlink()
    shutil.copy(COMPONENTS / "asker", version)
    output = counted.prctl("mupdate-start", "--dry-run")
    assert "UM: Nothing was changed: this was a dry run.\n" in output
    assert f"prctl: {version} is not here what it was for mupdate: the plan for counter is not " \
        "shown\n" in output


def test_dry_run_of_what_was_remembered_keeps_it(counted):
    counted.mupdate("counter", "/bin/counter.new")
    counted.mupdate("asker", "self")
    output = counted.prctl("mupdate-start", "--dry-run")
    assert "dry run" in output
    assert "Plan for counter:\ncounter: automatic\n" in output and "struct note" in output
    assert "Plan for asker:\nasker: automatic\n" in output
    assert counted.status()["counter"].updates == 0
    counted.mupdate_start()
    assert progress(counted)["version"] == 2


# ---- exit status ----


def test_exit_status_tells_how_it_ended(losing):
    def status(*arguments: str) -> int:
        return losing.try_prctl("update", *arguments).returncode
    assert status("counter", "/bin/counter.new") == 0
    assert status("counter", "/bin/no-such") == REFUSED
    assert status("counter", "/bin/asker") == REFUSED
    assert status("counter") == 2
    assert status("counter", "/bin/counter", "--all", "x") == 2
    assert status("counter", "/bin/counter.crash") == ROLLED_BACK
    prctl = losing.start_prctl("update", "counter", "/bin/counter", "-state", NEVER_TRUE,
                               "-timeout", "60000")
    wait_for_line(prctl, "UM: Applying")
    losing.kill("counter")
    assert "abandoned" in prctl.communicate()[0]
    assert prctl.returncode == ABANDONED
    losing.wait_for_restart("counter")


def test_json_alone(counted):
    done = counted.try_prctl("update", "counter", "/bin/counter.crash", "--json")
    record = json.loads(done.stdout)
    assert done.returncode == ROLLED_BACK and record["outcome"] == "rolled-back"
    assert "crashed during state transfer (signal 11)" in record["reason"]
    record = json.loads(counted.try_prctl("update", "counter", "/bin/asker", "--json").stdout)
    assert record["outcome"] == "refused" and record["number"] > 0
    assert [m["component"] for m in record["members"]] == ["counter"]


@pytest.mark.parametrize("arguments, status, reason", [
    (["/bin/no-such"], -2, "/bin/no-such: No such file or directory (looked below"),
    (["/bin"], -21, "/bin: it is no regular file (looked below"),
    (["/bin/counter.new", "-allow", "nix"], -22, "interface filter 'nix': ")])
def test_json_of_what_prctl_itself_refuses(counted, arguments, status, reason):
    done = counted.try_prctl("update", "counter", *arguments, "--json")
    record = json.loads(done.stdout)
    assert (done.returncode, record["outcome"], record["number"], record["status"]) == \
        (REFUSED, "refused", 0, status)
    assert record["reason"].startswith(reason)
    assert [(m["component"], m["path"]) for m in record["members"]] == [("counter", arguments[0])]


def test_options_with_their_values_in_one_word(counted):
    counted.update("counter", "/bin/counter.new", None, "--state=num_busy == 0",
                   "-allow=m.type != 0xf05", "--timeout=converge=60000", "-maxtime=20000")
    member = history(counted)[0]["members"][0]
    assert (member["state"], member["allow"]) == ("num_busy == 0", "m.type != 0xf05")


# ---- journal ----


def test_history_has_every_update(losing):
    losing.update("counter", "/bin/counter.new", "num_busy == 0", "-allow", "m.type != 0xf05")
    losing.try_prctl("update", "counter", "/bin/counter.crash")
    losing.try_prctl("update", "counter", "/bin/asker")
    losing.prctl("update", "counter", "self", "--dry-run")
    records = history(losing)
    assert [(r["number"], r["outcome"]) for r in records] == \
        [(1, "done"), (2, "rolled-back"), (3, "refused"), (4, "tried")]
    member = records[0]["members"][0]
    assert (member["state"], member["allow"]) == ("num_busy == 0", "m.type != 0xf05")
    assert member["new_build_id"] == losing.status()["counter"].build_id
    assert [p["phase"] for p in records[0]["phases"]] == ["load", "converge", "transfer", "commit"]
    lines = losing.prctl("history").splitlines()
    assert len(lines) == 4 and "rolled-back" in lines[1] and "crashed" in lines[1]
    shown = losing.prctl("history", "show", "1")
    assert "state filter: num_busy == 0\n" in shown and "interface filter: m.type != 0xf05\n" in shown
    for wrong in ("0", "-1", "1st", "first"):
        done = losing.try_prctl("history", "show", wrong)
        assert done.returncode == 2 and done.stdout.startswith(
            f"prctl: '{wrong}' is no transaction's number; prctl history shows them\nusage: ")
    missing = losing.try_prctl("history", "show", "99")
    assert missing.returncode == 1 and "transaction 99 is not on record" in missing.stdout
    losing.shutdown()
    assert history(losing) == records


def test_history_of_an_instance_without_updates(losing):
    assert losing.prctl("history") == ""
    (losing.runtime / "journal").unlink()
    done = losing.try_prctl("history")
    assert done.returncode == 1
    assert done.stdout == f'prctl: no update of instance "{losing.name}" is on record\n'


def test_history_goes_on_over_updates_of_um_and_the_bus(counted):
    counted.update("counter", "self")
    counted.update("um", "self")
    counted.update("busd", "self")
    counted.update("counter", "self")
    assert [(r["number"], r["outcome"]) for r in history(counted)] == \
        [(n, "done") for n in (1, 2, 3, 4)]


def test_update_that_died_with_um_is_on_record(counted):
    prctl = counted.start_prctl("update", "counter", "/bin/counter", "-state", NEVER_TRUE,
                                "-timeout", "60000")
    wait_for_line(prctl, "UM: Applying")
    counted.kill("um")
    prctl.communicate()
    counted.wait_for_restart("um")
    counted.update("counter", "/bin/counter.new")
    assert [(r["number"], r["outcome"]) for r in history(counted)] == \
        [(1, "interrupted"), (2, "done")]


@pytest.mark.parametrize("torn", [b"\x40", b"\x40\x00\x00\x00abc", b"\xff\xff\xff\xff", b"\x03\0\0\0\xff\xff\xff"])
def test_torn_journal_loses_only_what_is_torn(counted, torn):
    counted.update("counter", "/bin/counter.new")
    journal = counted.runtime / "journal"
    whole = journal.stat().st_size
    with journal.open("ab") as file:
        file.write(torn)
    done = subprocess.run(counted.prctl_command("history"), env=counted.environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert len(done.stdout.splitlines()) == 1
    assert f"the last {len(torn)} bytes are no record" in done.stderr
    counted.kill("um")
    counted.wait_for_restart("um")
    assert journal.stat().st_size == whole
    counted.update("counter", "/bin/counter")
    assert [r["number"] for r in history(counted)] == [1, 2]
