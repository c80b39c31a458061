"""How violations name a case's data."""

from __future__ import annotations

import re

from case import Case
from model import Choice
from shape import Array
from value import Variable, Worlds


def named(worlds: Worlds, old, new, path: tuple) -> str:
    """A path as violations write it, a regular expression: by the new names, but what moved by its
    old place. The member of a union may be left out."""
    text, at = "", 0
    while at < len(path):
        if isinstance(old, Array):
            text += rf"\[{path[at]}\]"
            old, new, at = old.of, new and new.of, at + 1
            continue
        homes = worlds.new[new.tag].homes if new else {}
        key = next((k for k in (path[at:at + 2], path[at:at + 1]) if k in homes), path[at:at + 1])
        home = homes.get(key, key)
        if len(home) != len(key):  # it moved; what it was in may have another name, too
            holder = homes.get(key[:1], key[:1]) if len(key) > 1 else key
            step_names = (*holder, *key[1:])
        else:
            step_names = home
        step = "".join(rf"\.{name}" for name in step_names)
        text += f"({step})?" if old.keyword == "union" else step
        for name in key:
            old = worlds.old[old.tag].member(name).type
        for name in home:
            m = new and worlds.new[new.tag].member(name)
            new = m.type if m else None
        at += len(key)
    return text


def datum(case: Case, c: Choice) -> str:
    """How a violation names the datum: a regular expression."""
    path = c.where()
    o = case.model.object(c.target)
    text = named(case.worlds, o.old_root(), o.new_root(), path)
    if isinstance(o, Variable):
        name = f"kept in {o.name}_at" if o.scope == "function" else o.new_name or o.name
        return f"`{re.escape(name)}{text}`"
    if len(o.value) == 1 and o.how != "untyped":
        text = text.removeprefix(r"\[0\]").removeprefix(r"\.")
    return rf".*{text}` \((`.*; )?allocated at "
