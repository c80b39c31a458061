#!/usr/bin/python3
"""Makes the header of a version with other data structures out of today's: in each struct named, a
member is added in front and the first one becomes the last. OLD=NEW replaces a text.

    relayout.py HEADER OUTPUT (STRUCT | OLD=NEW)..."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def change_struct(text: str, name: str) -> str:
    head = f"struct {name} {{\n"
    begin = text.index(head) + len(head)
    end = text.index("\n};", begin)
    members = text[begin:end].split("\n")
    first = next(i for i, line in enumerate(members) if re.match(r"  \w.*;", line))
    members.append(members.pop(first))
    return text[:begin] + "  uint64_t added[3];\n" + "\n".join(members) + text[end:]


def replace(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise SystemExit(f"'{old}' is there {text.count(old)} times")
    return text.replace(old, new)


def main() -> None:
    source, output, *changes = sys.argv[1:]
    text = Path(source).read_text()
    for change in changes:
        old, _, new = change.partition("=")
        text = replace(text, old, new) if new else change_struct(text, change)
    Path(output).write_text(text)


main()
