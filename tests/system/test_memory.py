"""Shared memory: areas, grants and their bounds, revocation, quotas, and what dies and is updated in
the middle of it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Iterator

import pytest

from proteos import CommandFailed, Manifest, System
from sharing import PAGE, READ, WRITE, Refused, Sharing

PATIENT = 60_000
MEM_MAP, MEM_RELEASE = 0xC02, 0xC03


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Sharing]:
    running = Sharing(tmp_path, ["owner", "holder", "other"],
                      [f"quota={1 << 20}", "other=64K", "patience=100"])
    yield running
    running.close()


def share(sharing: Sharing) -> Sharing:
    """The owner has four pages, and the holder maps the second and third for writing."""
    sharing.area, sharing.own = sharing.owner.create(4 * PAGE, PAGE)
    sharing.given = sharing.owner.grant(sharing.area, "holder", PAGE, 2 * PAGE, WRITE)
    assert sharing.holder.map(sharing.given) == 2 * PAGE
    return sharing


@pytest.fixture
def shared(sharing: Sharing) -> Sharing:
    return share(sharing)


def refused(sharer, *words) -> int:
    with pytest.raises(Refused) as e:
        sharer.do(*words)
    return e.value.errno


def is_revoked(s: Sharing) -> bool:
    try:
        s.holder.do("ask", MEM_MAP, s.given)
    except Refused as e:
        return e.errno == errno.ENOENT
    return False


def check_shared(s: Sharing, value: int) -> None:
    """What one writes the other sees, in both directions."""
    s.owner.poke(s.own, PAGE + 5, value)
    assert s.holder.peek(s.given, 5) == value
    s.holder.poke(s.given, 2 * PAGE - 1, value + 1)
    assert s.owner.peek(s.own, 3 * PAGE - 1) == value + 1


def test_memory_is_shared(shared):
    check_shared(shared, 7)
    assert shared.owner.accounts() == {"self": [1, 4 * PAGE, 1 << 20, 1, 1],
                                       "holder": [0, 0, 1 << 20, 1, 1]}


def test_a_grant_for_reading_cannot_be_written(shared):
    grant = shared.owner.grant(shared.area, "other", 0, PAGE, READ)
    assert shared.other.map(grant) == PAGE
    shared.owner.poke(shared.own, 9, 42)
    assert shared.other.peek(grant, 9) == 42
    assert refused(shared.other, "writable", grant) == errno.EACCES
    assert shared.holder.do("writable", shared.given) == []
    shared.other.send("poke", grant, 0, 1)
    shared.system.wait_for_restart("other")
    assert shared.owner.peek(shared.own, 0) == 0


def test_a_grant_is_of_its_holder_and_range_only(shared):
    assert refused(shared.other, "map", shared.given) == errno.ENOENT
    assert refused(shared.holder, "peek", shared.given, 2 * PAGE) == errno.ENOENT  # by the component
    for words, wanted in [((shared.area, "other", 1, PAGE, READ), errno.EINVAL),
                          ((shared.area, "other", 0, 100, READ), errno.EINVAL),
                          ((shared.area, "other", 0, 0, READ), errno.EINVAL),
                          ((shared.area, "other", PAGE, 4 * PAGE, READ), errno.EINVAL),
                          ((shared.area, "other", 1 << 63, PAGE, READ), errno.EINVAL),
                          ((shared.area, "other", 0, PAGE, 2), errno.EINVAL),
                          ((shared.area, "other", 0, PAGE, 0), errno.EINVAL),
                          ((shared.area, "60", 0, PAGE, READ), errno.ESRCH),
                          ((shared.area + 1, "other", 0, PAGE, READ), errno.ENOENT)]:
        assert refused(shared.owner, "grant", *words) == wanted, words
    assert refused(shared.holder, "grant", shared.area, "other", 0, PAGE, READ) == errno.ENOENT
    assert refused(shared.holder, "revoke", shared.given, 100) == errno.ENOENT


def test_bad_sizes(sharing):
    for size, segment in [(0, 0), (1, 100), (PAGE, 1 << 63), (1 << 63, 0), (33 * PAGE, PAGE)]:
        assert refused(sharing.owner, "create", size, segment) == errno.EINVAL, (size, segment)
    assert sharing.owner.do("ask", 0xC00, 5000, PAGE)[0] == str(2 * PAGE)  # rounded up
    assert refused(sharing.owner, "ask", 0xC7F) == errno.ENOSYS


def test_revoked_memory_is_given_back(shared):
    assert shared.owner.do("revoke", shared.given, PATIENT) == ["0"]
    assert shared.holder.do("revoked") == ["1"]
    assert refused(shared.holder, "peek", shared.given, 0) == errno.ENOENT
    assert refused(shared.holder, "map", shared.given) == errno.ENOENT
    assert refused(shared.holder, "ask", MEM_RELEASE, shared.given) == errno.ENOENT
    assert refused(shared.owner, "revoke", shared.given, PATIENT) == errno.ENOENT
    assert shared.owner.do("revoke", shared.own, PATIENT) == ["0"]  # its own: it unmaps, too


def test_a_grant_that_is_not_mapped_is_revoked_at_once(shared):
    shared.holder.do("stubborn", 1)
    shared.holder.do("unmap", shared.given)
    assert shared.owner.do("revoke", shared.given, PATIENT) == ["0"]
    assert shared.holder.do("revoked") == ["0"]


def test_unmapped_memory_can_be_mapped_again(shared):
    shared.holder.do("unmap", shared.given)
    assert shared.holder.map(shared.given) == 2 * PAGE
    check_shared(shared, 30)


def test_a_holder_that_does_not_unmap_is_ended(shared):
    shared.holder.do("stubborn", 1)
    assert shared.owner.do("revoke", shared.given, 50) == ["1"]
    shared.system.wait_for_restart("holder")
    assert "did not give back memory in time" in shared.system.log("instance")
    assert refused(shared.holder, "map", shared.given) == errno.ENOENT
    again = shared.owner.grant(shared.area, "holder", 0, PAGE, READ)
    assert shared.holder.map(again) == PAGE


def test_a_holder_that_is_recovered_with_its_mapping_is_ended_again(tmp_path):
    sharing = Sharing(tmp_path, ["owner", "holder"], ["patience=50"], {"holder": {"recover": "state"}})
    try:
        area, _ = sharing.owner.create(PAGE)
        given = sharing.owner.grant(area, "holder", 0, PAGE, WRITE)
        sharing.holder.map(given)
        sharing.holder.do("stubborn", 1)
        assert sharing.owner.do("revoke", given, 50) == ["1"]
        sharing.system.wait_for_restart("holder", 2)
        assert sharing.system.status()["holder"].recovered >= 1
    finally:
        sharing.close()


def test_the_server_is_recovered_with_its_state(tmp_path):
    sharing = Sharing(tmp_path, ["owner", "holder"], [], {"mm": {"recover": "state"}})
    try:
        area, own = sharing.owner.create(PAGE)
        given = sharing.owner.grant(area, "holder", 0, PAGE, WRITE)
        sharing.holder.map(given)
        sharing.system.kill("mm")
        sharing.system.wait(lambda: sharing.system.status()["mm"].recovered == 1, "its recovery")
        sharing.owner.poke(own, 1, 3)
        assert sharing.holder.peek(given, 1) == 3
        assert sharing.owner.do("revoke", given, PATIENT) == ["0"]
    finally:
        sharing.close()


def test_while_it_is_revoked_it_cannot_be_mapped_again(shared):
    shared.holder.do("stubborn", 1)
    shared.owner.send("revoke", shared.given, PATIENT)
    shared.system.wait(lambda: is_revoked(shared), "the revocation")
    assert refused(shared.other, "ask", 0xC04, shared.given | 100 << 32) == errno.ENOENT
    shared.holder.do("stubborn", 0)
    assert shared.owner.answer() == ["0"]


def test_an_area_ends_when_all_have_unmapped_it(shared):
    assert refused(shared.owner, "destroy", shared.area, PATIENT) == errno.EBUSY
    shared.owner.do("unmap", shared.own)
    assert refused(shared.owner, "destroy", shared.area, 0) == errno.EINVAL
    shared.owner.grant(shared.area, "other", 0, PAGE, READ)  # not mapped
    assert shared.owner.do("destroy", shared.area, PATIENT) == ["0"]
    assert shared.holder.do("revoked") == ["1"]
    assert shared.owner.accounts() == {}
    assert refused(shared.owner, "destroy", shared.area, PATIENT) == errno.ENOENT


def test_quota(sharing):
    area, own = sharing.other.create(64 << 10, 0)
    assert refused(sharing.other, "create", 1, 0) == errno.EDQUOT
    sharing.other.do("unmap", own)
    sharing.other.do("destroy", area, PATIENT)
    assert refused(sharing.other, "create", (64 << 10) + 1, 0) == errno.EDQUOT
    sharing.other.create(64 << 10, 0)
    sharing.owner.create(1 << 20, 0)
    assert refused(sharing.owner, "create", 1, 0) == errno.EDQUOT


def test_tables_are_bounded(sharing):
    areas = [sharing.owner.create(PAGE) for _ in range(16)]
    assert refused(sharing.owner, "create", PAGE, 0) == errno.ENFILE
    for _ in range(64 - 16):
        sharing.owner.grant(areas[0][0], "holder", 0, PAGE, READ)
    assert refused(sharing.owner, "grant", areas[0][0], "holder", 0, PAGE, READ) == errno.ENFILE
    sharing.other.create(PAGE)  # others still can


def test_a_holder_that_exits_holds_nothing(shared):
    shared.holder.send("exit")
    shared.system.wait(lambda: "holder" not in shared.owner.accounts(), "the end of its grants")
    assert refused(shared.owner, "revoke", shared.given, PATIENT) == errno.ENOENT
    shared.system.wait_for_restart("holder")
    assert refused(shared.holder, "map", shared.given) == errno.ENOENT


def test_a_revocation_is_answered_when_the_holder_dies(shared):
    shared.holder.do("stubborn", 1)
    shared.owner.send("revoke", shared.given, PATIENT)
    shared.system.wait(lambda: is_revoked(shared), "the revocation")
    shared.system.kill("holder")
    assert shared.owner.answer() == ["0"]


def test_what_a_dead_owner_leaves_is_given_back(tmp_path):
    sharing = Sharing(tmp_path, ["owner", "holder", "other"], [f"patience={PATIENT}"])
    try:
        shared = share(sharing)
        shared.system.kill("owner")
        shared.system.wait(lambda: shared.holder.do("revoked") == ["1"], "the revocation")
        assert shared.other.accounts() == {}
        assert shared.system.status()["holder"].restarts == 0
    finally:
        sharing.close()


def test_what_a_dead_owner_leaves_is_taken_from_a_stubborn_holder(shared):
    shared.holder.do("stubborn", 1)
    shared.system.kill("owner")
    shared.system.wait_for_restart("holder")
    shared.system.wait(lambda: shared.other.accounts() == {}, "the end of the area")


@pytest.mark.parametrize("who", ["mm", "owner", "holder"])
def test_updates(shared, who):
    check_shared(shared, 1)
    for turn in (1, 2, 3):
        shared.system.update(who, "/bin/mm" if who == "mm" else "/bin/sharer", None, "--relocate",
                             "--strict")
        assert shared.system.status()[who].updates == turn
        check_shared(shared, 10 * turn)
    assert shared.owner.do("revoke", shared.given, PATIENT) == ["0"]


def test_an_update_in_the_middle_of_a_revocation(shared):
    shared.holder.do("stubborn", 1)
    shared.owner.send("revoke", shared.given, PATIENT)
    shared.system.wait(lambda: is_revoked(shared), "the revocation")
    for who, file in [("mm", "mm"), ("owner", "sharer"), ("holder", "sharer")]:
        shared.system.update(who, f"/bin/{file}", None, "--relocate", "--strict")
    shared.holder.do("stubborn", 0)
    assert shared.owner.answer() == ["0"]


def test_all_are_updated_at_once_with_the_bus(shared):
    for name in ("busd", "um", "mm", "owner", "holder"):
        file = "sharer" if name in ("owner", "holder") else name
        shared.system.mupdate(name, f"/bin/{file}")
    shared.system.mupdate_start()
    check_shared(shared, 80)
    grant = shared.owner.grant(shared.area, "other", 0, PAGE, READ)
    assert shared.other.map(grant) == PAGE


def test_a_restart_of_the_server_ends_everything(shared):
    shared.system.kill("mm")
    shared.system.wait_for_restart("mm")
    assert refused(shared.holder, "peek", shared.given, 0) == errno.ENOENT
    assert refused(shared.owner, "grant", shared.area, "other", 0, PAGE, READ) == errno.ENOENT
    assert shared.owner.accounts() == {}
    shared.area, shared.own = shared.owner.create(4 * PAGE, PAGE)
    shared.given = shared.owner.grant(shared.area, "holder", PAGE, 2 * PAGE, WRITE)
    shared.holder.map(shared.given)
    check_shared(shared, 5)


def test_a_plain_program_maps_memory(tmp_path):
    sharing = Sharing(tmp_path, ["owner"], [], {"visitor": {"args": ["2"]}})
    try:
        area, own = sharing.owner.create(3 * PAGE, PAGE)
        sharing.owner.poke(own, PAGE, 6)
        visitor = sharing.system.status()["visitor"].endpoint
        assert sharing.owner.grant(area, str(visitor), PAGE, 2 * PAGE, WRITE) == 2
        sharing.system.wait(lambda: "saw 6, bytes 8192, unmapped 0" in sharing.system.log("visitor"),
                            "the visit")
        assert sharing.owner.peek(own, PAGE) == sharing.owner.peek(own, 3 * PAGE - 1) == 7
    finally:
        sharing.close()


def test_the_server_needs_its_right():
    with pytest.raises(CommandFailed, match=r"kernel: \[memory\]"):
        with System(Manifest.empty().add("mm")):
            pass
