"""st-diff beside the updates that it foretells, and its JSON beside its documented schema."""

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, os.environ["AGREE"])
from agree import disagreement  # noqa: E402

DIFF = os.environ["ST_DIFF"]
META = os.environ["ST_META"]
PAIRS = Path(os.environ["PAIRS"])
TRAPS = PAIRS.parent / "traps"
RUNNER = PAIRS / "update-pair"
COMPONENTS = Path(os.environ["COMPONENTS"])
DOCUMENT = Path(os.environ["DOCUMENT"])


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True)


def executables(old_mark, new_mark):
    for old in sorted([*PAIRS.iterdir(), *TRAPS.iterdir()]):
        new = old.parent / old.name.replace(old_mark, new_mark)
        if old.is_file() and old_mark in old.name and not old.name.endswith("-raw") and new.is_file():
            yield old, new


UPDATES = list(executables("-v1-", "-v2-"))
REFUSALS = [(old, new) for old, new in executables("-old", "-new") if old.name.endswith("-old")]
COMPONENT_PAIRS = [(COMPONENTS / f"{name}", COMPONENTS / f"{name}.new")
                   for name in ("net", "httpd", "e1000", "counter")]


def test_there_are_pairs():
    assert len(UPDATES) >= 10 and len(REFUSALS) >= 15
    assert all(old.is_file() and new.is_file() for old, new in COMPONENT_PAIRS)


def diff(old, new):
    done = run(DIFF, "--json", old, new)
    assert done.returncode in (0, 1), done.stderr
    data = json.loads(done.stdout)
    assert done.returncode == (data["result"] == "needs help")
    return data


def name_of(pair):
    return pair[0].name


@pytest.mark.parametrize("pair", UPDATES + [p[::-1] for p in UPDATES] + REFUSALS, ids=name_of)
def test_the_update_plans_the_same(pair):
    assert disagreement(RUNNER, DIFF, *pair) == ""


@pytest.mark.parametrize("pair", UPDATES, ids=name_of)
def test_updates_that_succeed_are_automatic(pair):
    """Each of these pairs has a test that carries the update out."""
    assert diff(*pair)["result"] == "automatic"


def test_refusals_are_foretold():
    """What the types decide: st-diff knows it. What values decide: it says which."""
    def case(name):
        return diff(PAIRS / f"refuse-{name}-old", PAIRS / f"refuse-{name}-new")

    assert case("nothing")["result"] == "automatic"
    for name in ("renamed_variable", "renamed_member", "member_type", "union_changed"):
        assert case(name)["result"] == "needs help", name
    for name, variable, path, must in (
            ("narrowed", "narrow", "", "fit an unsigned integer of 8 bits"),
            ("to_bool", "narrow", "", "fit an unsigned integer of 1 bits"),
            ("sign", "narrow", "", "fit an unsigned integer of 8 bits"),
            ("bits", "bits", ".bits", "fit an unsigned integer of 4 bits"),
            ("shrunk", "table", "[4]", "hold no data, nor what follows"),
            ("enumerator_gone", "mode", "", "not be 1, an enumerator that the new version")):
        data = case(name)
        assert data["result"] == "automatic", name
        found = next(v for v in data["variables"] if v["name"] == variable)
        assert any(c["path"] == path and c["must"].startswith(must) and c["otherwise"] == "refused"
                   for c in found["conditions"]), (name, found)
    assert "called" in case("function_gone")["functions_gone"]
    assert next(v for v in case("variable_gone")["variables"]
                if v["name"] == "target")["fate"] == "removed"


# ---- completeness ----


def dump(path):
    done = run(META, "dump", path)
    assert done.returncode == 0, done.stderr
    variables, sites = [], []
    for line in done.stdout.splitlines():
        if m := re.match(r"variable \w+ (\d+) (\S+): .* \(([^)]*)\)$", line):
            about = m[3].split(", ")
            if "const" not in about:
                within = next((a[3:] for a in about if a.startswith("in ")), None)
                variables.append((m[2], within, about[0], int(m[1])))
        elif m := re.match(r"site (\S+):(\d+):(\d+) in (\S+): (.*?)((?: \(\w+,\w+\])+)$", line):
            if m[5] != "its caller's":
                sites.append((m[1], int(m[2]), int(m[3]), m[4]))
    return variables, sites


@pytest.mark.parametrize("pair", UPDATES + COMPONENT_PAIRS, ids=name_of)
def test_everything_is_accounted_for(pair):
    data = diff(*pair)
    for side, path in zip(("old", "new"), pair):
        variables, sites = dump(path)
        told = sorted((v[side]["name"], v["function"] or "", v[side]["file"], v[side]["bytes"])
                      for v in data["variables"] if v[side])
        # What became a constant is still what a variable of the old version is paired with.
        told = [t for t in told if side == "old" or (t[0], t[1] or None, t[2], t[3]) in variables]
        assert told == sorted((n, w or "", f, b) for n, w, f, b in variables)
        if side == "old":
            assert sorted((b["file"], b["line"], b["column"], b["function"])
                          for b in data["blocks"]) == sorted(sites)
    for v in data["variables"]:
        assert (v["old"] is None) == (v["fate"] == "added")
    for t in data["types"]:
        for f in t["fields"]:
            assert (f["old"] is None) == (f["fate"] == "added"), f
            assert (f["new"] is None) == (f["fate"] == "removed"), f
        if t["old_bytes"] != t["new_bytes"]:
            assert t["fate"] in ("converted", "refused"), t
    cost = data["cost"]
    carried = [v for v in data["variables"] if v["fate"] in ("same", "followed", "converted")]
    assert cost["variables"] == len(carried)
    assert cost["variable_bytes"] == sum(v["old"]["bytes"] for v in carried)
    assert cost["variables_converted"] == sum(v["fate"] == "converted" for v in carried)
    assert cost["sites_rewritten"] == sum(b["fate"] == "converted" for b in data["blocks"])
    assert (cost["sites_rewritten"] + cost["sites_searched"] + cost["sites_untouched"]
            + sum(b["fate"] == "refused" for b in data["blocks"])) == len(data["blocks"])


def documented():
    """The keys of each kind of object, from the tables in the document: `| key | ...` under a
    heading with the object's name."""
    keys, name = {}, None
    for line in DOCUMENT.read_text().splitlines():
        if m := re.match(r"### (.*)", line):
            name = m[1].strip("`")
            keys[name] = set()
        elif name and (m := re.match(r"\| `(\w+)` \|", line)):
            keys[name].add(m[1])
    return keys


def test_the_schema_is_documented():
    keys = documented()
    seen = set()

    def check(name, value):
        assert set(value) == keys[name], name
        seen.add(name)

    for old, new in UPDATES + REFUSALS + COMPONENT_PAIRS:
        data = diff(old, new)
        check("document", data)
        check("version", data["old"])
        check("cost", data["cost"])
        for v in data["variables"]:
            check("variable", v)
            for side in (v["old"], v["new"]):
                if side:
                    check("side of a variable", side)
            for c in v["conditions"]:
                check("condition", c)
        for t in data["types"]:
            check("type", t)
            if t["refusal"]:
                check("refusal", t["refusal"])
            for f in t["fields"]:
                check("field", f)
                for side in (f["old"], f["new"]):
                    if side:
                        check("side of a field", side)
        for b in data["blocks"]:
            check("block", b)
    assert seen == set(keys)
    fates = set(re.findall(r"^\| (\w+) \|", DOCUMENT.read_text(), re.M))
    assert {v["fate"] for p in UPDATES + REFUSALS for v in diff(*p)["variables"]} <= fates


# ---- for people ----


def test_fields_stand_side_by_side():
    done = run(DIFF, PAIRS / "scalars-v1-O2", PAIRS / "scalars-v2-O2")
    assert done.returncode == 0
    assert re.search(r"^ +28 port: uint16_t +\| +0 port: uint32_t +converted$", done.stdout, re.M)
    assert re.search(r"^ +30\.0:1 flag: unsigned int +\| +40\.5:2 flag: unsigned int +converted$",
                     done.stdout, re.M)
    assert re.search(r"^ +- +\| +80 added: int +added$", done.stdout, re.M)
    assert "depends on the run" in done.stdout
    assert "carried over as they are" in done.stdout
    everything = run(DIFF, "--all", PAIRS / "scalars-v1-O2", PAIRS / "scalars-v2-O2").stdout
    assert "carried over as they are" not in everything and len(everything) > len(done.stdout)


def test_what_needs_help_is_said_first():
    done = run(DIFF, PAIRS / "refuse-renamed_variable-old", PAIRS / "refuse-renamed_variable-new")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "needs help" in lines[0]
    assert "renamed?" in lines[3]


# ---- errors ----


def error(*arguments):
    done = run(DIFF, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_errors_name_the_file(tmp_path):
    good = PAIRS / "scalars-v1-O2"
    assert error(tmp_path / "missing", good) == f"st-diff: {tmp_path}/missing: No such file or directory\n"
    assert error(good, tmp_path / "missing") == f"st-diff: {tmp_path}/missing: No such file or directory\n"
    plain = PAIRS / "scalars-v1-O2-raw"
    assert f"st-diff: {plain}: not instrumented" in error(plain, good)
    assert f"st-diff: {plain}: not instrumented" in error(good, plain)
    (tmp_path / "text").write_text("#!/bin/sh\n")
    assert "text: not a 64-bit ELF executable" in error(good, tmp_path / "text")
    (tmp_path / "empty").write_text("")
    assert "empty: cannot be read: empty file" in error(tmp_path / "empty", good)
    data = bytearray(good.read_bytes())
    at = data.index(b"STMETAZ\0") + 100
    data[at] ^= 0x55
    (tmp_path / "damaged").write_bytes(data)
    assert "damaged: its section .st_meta is damaged: it cannot be unpacked" in error(
        good, tmp_path / "damaged")
    assert error(tmp_path, good)
    assert error(good).startswith("usage: st-diff")
    assert "usage: st-diff" in error("--nonsense", good, good)


def test_a_damaged_file_never_crashes_it(tmp_path):
    """Whatever is changed in the file: an error, or an answer."""
    good = PAIRS / "scalars-v1-O2"
    data = good.read_bytes()
    start = data.index(b"STMETAZ\0")
    random.seed(11)
    victim = tmp_path / "victim"
    seen = set()
    for turn in range(60):
        bad = bytearray(data)
        where = ((start, len(data)), (0, 64), (len(data) - 3000, len(data)))[turn % 3]
        for _ in range(random.choice((1, 2, 9))):
            bad[random.randrange(*where)] = random.choice((0, 255, 128, 7))
        victim.write_bytes(bad[:random.randrange(len(bad))] if turn % 10 == 9 else bad)
        for pair in ((victim, good), (good, victim)):
            done = run(DIFF, "--json", *pair)
            assert done.returncode in (0, 1, 2), (turn, done)
            assert (done.returncode == 2) == (done.stdout == "") == (done.stderr != ""), (turn, done)
            seen.add(done.returncode)
    assert seen >= {0, 2}


def test_help():
    done = run(DIFF, "--help")
    assert done.returncode == 0
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS"):
        assert f"\n{section}\n" in "\n" + done.stdout
