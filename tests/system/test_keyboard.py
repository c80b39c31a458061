"""A keyboard: the device model, at which the test types, its driver, and a client that shows what it
reads, over updates and crashes."""

from __future__ import annotations

import re
import socket
import string
from pathlib import Path
from typing import Iterator

import pytest

from proteos import Manifest, System

KEY_A, KEY_Y, KEY_Q, KEY_CAPS_LOCK, KEY_RIGHT_ALT, KEY_LEFT_ALT = 0x1E, 0x15, 0x10, 0x3A, 0xB8, 0x38
KEY_UP, KEY_F1, KEY_LESS, KEY_KEYPAD_1 = 0xC8, 0x3B, 0x56, 0x4F
DOWN, UP = 0x81, 0x82


class Keyboard:
    """A system with a keyboard, and the test's end of its wire."""

    def __init__(self, tmp_path: Path, layout: list[str]):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "keys"))
        listener.listen(1)
        manifest = Manifest.empty()
        manifest.data["regions"] = [{"name": "kbd0.bar", "bytes": 4096,
                                     "share": ["kbd-model", "kbd"]}]
        manifest.data["wires"] = [{"name": "kbd0", "kind": "stream", "to": "kbd-model",
                                   "path": str(tmp_path / "keys")}]
        manifest.add("kbd-model", args=["kbd0"], restart="always")
        manifest.add("kbd", args=["kbd0"], calls=[{"to": "kbd-model"}], restart="always")
        manifest.add("typist", args=["kbd", *layout], calls=[{"to": "kbd"}])
        self.system = System(manifest)
        self.system.__enter__()
        self.wire, _ = listener.accept()
        listener.close()
        self.seen = 0

    def close(self) -> None:
        self.wire.close()
        self.system.__exit__(None, None, None)

    def type(self, text: str) -> None:
        self.wire.sendall(text.encode("ascii"))

    def keys(self, *moves: int) -> None:
        self.wire.sendall(bytes(moves))

    def press(self, key: int, *held: int) -> None:
        for other in held:
            self.keys(DOWN, other)
        self.keys(DOWN, key, UP, key)
        for other in held:
            self.keys(UP, other)

    def text(self) -> str:
        """All that the client has read."""
        lines = re.findall(r"typed: (.*)$", self.system.log("typist"), re.MULTILINE)
        raw = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), "".join(lines).encode())
        return raw.decode()

    def expect(self, text: str) -> None:
        """That this comes next, and nothing else."""
        self.system.wait(lambda: len(self.text()) >= self.seen + len(text), f"{text!r}")
        assert self.text()[self.seen:] == text
        self.seen += len(text)


@pytest.fixture
def keyboard(tmp_path: Path) -> Iterator[Keyboard]:
    made = Keyboard(tmp_path, [])
    yield made
    made.close()


@pytest.fixture
def german(tmp_path: Path) -> Iterator[Keyboard]:
    made = Keyboard(tmp_path, ["de"])
    yield made
    made.close()


def test_every_printable_character(keyboard: Keyboard):
    printable = string.digits + string.ascii_letters + string.punctuation + " "
    keyboard.type(printable)
    keyboard.expect(printable)


def test_control_characters(keyboard: Keyboard):
    keyboard.type("\x01\x03\x04\x1a\x1c\t\x1b\x7f")
    keyboard.expect("\x01\x03\x04\x1a\x1c\t\x1b\x7f")
    keyboard.type("\0\x1d\x1e\x1f")
    keyboard.expect("\0\x1d\x1e\x1f")
    keyboard.type("\r\n")
    keyboard.expect("\r\r")


def test_characters_that_no_key_gives(keyboard: Keyboard):
    text = "äÖß é€ ß漢字 😀\u07ff\u0800\uffff\U00010000\U0010ffff."
    keyboard.wire.sendall(text.encode())
    keyboard.expect(text)


def test_bytes_that_are_no_text(keyboard: Keyboard):
    for wrong in (b"\x80", b"\xbf", b"\xc1\xbf", b"\xed\xa0\x80", b"\xf5", b"\xff",
                  b"\xe2\x82", b"\xf4\x90\x80\x80"):
        keyboard.wire.sendall(wrong + b"a")
        keyboard.expect("a")


def test_number_on_the_keypad(keyboard: Keyboard):
    keyboard.press(KEY_KEYPAD_1)
    keyboard.keys(DOWN, KEY_LEFT_ALT, UP, KEY_LEFT_ALT)
    keyboard.keys(DOWN, KEY_LEFT_ALT, DOWN, KEY_LEFT_ALT)  # it repeats
    for _ in range(12):
        keyboard.press(KEY_KEYPAD_1)  # far more than there are characters
    keyboard.keys(UP, KEY_LEFT_ALT)
    keyboard.keys(DOWN, KEY_LEFT_ALT)
    keyboard.press(KEY_KEYPAD_1)
    keyboard.press(KEY_KEYPAD_1 + 1, 0x2A)
    keyboard.keys(UP, KEY_LEFT_ALT)
    keyboard.expect("\x0c")


def test_more_than_the_keyboard_holds(keyboard: Keyboard):
    text = "The quick brown fox jumps over the lazy dog. " * 20
    keyboard.type(text)
    keyboard.expect(text)


def test_keys_without_a_character(keyboard: Keyboard):
    keyboard.press(KEY_UP)
    keyboard.press(KEY_F1)
    keyboard.expect("\x1b[A\x1bOP")
    keyboard.press(KEY_A, KEY_LEFT_ALT)
    keyboard.expect("\x1ba")


def test_caps_lock(keyboard: Keyboard):
    keyboard.press(KEY_CAPS_LOCK)
    keyboard.type("aB1!")
    keyboard.expect("Ab1!")
    keyboard.press(KEY_CAPS_LOCK)
    keyboard.type("aB")
    keyboard.expect("aB")


def test_key_that_is_held_repeats(keyboard: Keyboard):
    keyboard.keys(DOWN, KEY_A)
    keyboard.system.wait(lambda: keyboard.text() == "a" * len(keyboard.text()) and
                         len(keyboard.text()) > 5, "repetition")
    keyboard.keys(UP, KEY_A)
    keyboard.type("b")
    keyboard.system.wait(lambda: keyboard.text().endswith("b"), "the end of it")
    assert set(keyboard.text()[:-1]) == {"a"}


def test_german_layout(german: Keyboard):
    for key in (KEY_Y, KEY_A, 0x28, 0x0C, KEY_LESS):
        german.press(key)
    german.press(KEY_Q, KEY_RIGHT_ALT)
    german.press(0x12, KEY_RIGHT_ALT)
    german.expect("zaäß<@€")


def test_unknown_layout_is_refused(tmp_path: Path):
    made = Keyboard(tmp_path, ["klingon"])
    try:
        made.system.wait(lambda: "layout klingon: No such file or directory" in
                         made.system.log("typist"), "the refusal")
    finally:
        made.close()


@pytest.mark.parametrize("names", [("kbd",), ("kbd-model",), ("kbd", "kbd-model", "typist", "um")])
def test_updates_lose_no_key(keyboard: Keyboard, names: tuple[str, ...]):
    keyboard.press(KEY_CAPS_LOCK)
    keyboard.keys(DOWN, 0x2A)  # the left shift stays down
    for _ in range(3):
        for name in names:
            keyboard.system.prctl("mupdate", name, "self")
        keyboard.type("abc")
        keyboard.system.prctl("mupdate-start")
        keyboard.press(KEY_A)
    keyboard.system.wait(lambda: len(keyboard.text()) >= 12, "all keys")
    # Both together make small letters; what the model types needs no shift and lets it go.
    assert keyboard.text().lower() == "abca" * 3


def test_relocating_updates(keyboard: Keyboard):
    for name in ("kbd", "kbd-model"):
        keyboard.system.prctl("update", name, "self", "-relocate")
        keyboard.type("Abc")
        keyboard.expect("Abc")


@pytest.mark.parametrize("name", ["kbd", "kbd-model"])
def test_crashes_are_survived(keyboard: Keyboard, name: str):
    for i in range(3):
        restarts = keyboard.system.status()[name].restarts
        keyboard.system.kill(name)
        keyboard.system.wait_for_restart(name, restarts + 1)
        log, line = ("typist", "started: OK") if name == "kbd" else ("kbd", "is back")
        keyboard.system.wait(lambda: keyboard.system.log(log).count(line) > i + (name == "kbd"),
                             "the others to go on")
        keyboard.type("Abc")
        keyboard.expect("Abc")


def test_nobody_types_any_more(keyboard: Keyboard):
    keyboard.wire.close()
    keyboard.system.wait(lambda: "nobody types on kbd0" in keyboard.system.log("kbd-model"),
                         "the model to notice")
    assert keyboard.system.status()["kbd-model"].state == "running"
