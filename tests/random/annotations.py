"""Writes the annotations that a version needs."""

from __future__ import annotations

from zlib import crc32

from shape import (COOKIE, Array, Enum, LiveBy, Member, Opaque, Pointer, Struct, World, declare,
                   innermost)
from value import Variable


def of_type(type_) -> str:
    """What is to be said of a scalar's type; "" for nothing."""
    type_ = innermost(type_)
    if isinstance(type_, Opaque):
        return "opaque"
    if type_ == COOKIE:
        return "not_pointer"
    if isinstance(type_, Pointer) and type_.is_word:
        return f"pointer_to({declare(type_.to) if type_.to else 'void'})"
    if isinstance(type_, Pointer) and type_.mask:
        return f"tagged_pointer({type_.mask:#x})"
    return ""


def live_by(by: LiveBy) -> str:
    cases = [f"{key} = {member or 'nothing'}" for key, member in by.cases]
    if by.default is not False:
        cases.append(f"default = {by.default or 'nothing'}")
    return f"live_by({', '.join([by.field, *cases])})"


def of_member(m: Member) -> list[str]:
    says = [of_type(m.type), "dont_transfer" if m.is_own else "", live_by(m.by) if m.by else "",
            f"renamed_from({m.was})" if m.was else ""]
    if isinstance(innermost(m.type), Opaque) and isinstance(m.type, Array):
        says[0] = "opaque"
    return [s for s in says if s]


def is_said(name: str, type_, new: bool) -> bool:
    """What the new version says holds for the old one's data, so that need not say it. But the new
    version may make a number of what held one, and a pointer of what held one."""
    may_change = of_type(type_).startswith(("not_pointer", "pointer_to"))
    return new or may_change or crc32(name.encode()) % 3 > 0


def annotations(world: World, variables: list[Variable], new: bool):
    """Lines, to follow all declarations. @param new  of the new version"""
    for tag, d in world.items():
        if isinstance(d, Struct):
            keyword = "union" if "_w" in tag else "struct"
            for m in d.members:
                if is_said(m.was or m.name, m.type, new):
                    for says in of_member(m):
                        yield f"ST_FIELD({keyword} {tag}, {m.name}, {says});"
        if d.was:
            keyword = "enum" if isinstance(d, Enum) else "struct"
            yield f"ST_TYPE({keyword} {tag}, renamed_from({keyword} {d.was}));"
        if isinstance(d, Enum):
            for was, now in d.renamed.items():
                yield f"ST_ENUMERATOR({now}, renamed_from({was}));"
    for v in variables:
        type_ = v.new_type if new else v.old_type
        says = [of_type(type_)]
        says.append("dont_transfer" if v.is_own and v.new_type else "")
        if new and v.new_name and v.scope != "function":
            says.append(f"renamed_from({v.name})")
        name = v.new_name if new and v.new_name else v.name
        for text in says if is_said(v.name, type_, new) else []:
            if text and v.scope == "function":
                yield f"ST_STATIC({v.name}_at, kept, {text});"
            elif text:
                yield f"ST_VAR({name}, {text});"
