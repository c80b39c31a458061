"""Values, the objects that hold them, and what an update must make of them.

This is the oracle: it follows the rules of docs/state-transfer.md on the generator's own model and
shares nothing with libst. A value of a struct is a dict, one of an array a list, of a union
a `Live`; numbers are Python's; pointers are the classes below."""

from __future__ import annotations

import copy
import struct
from dataclasses import dataclass

from shape import (Array, Float, FunctionPointer, Int, Opaque, Pointer, World, is_enum, is_record,
                   translate)


class Refused(Exception):
    """The update cannot carry this value over."""


@dataclass(frozen=True)
class Ref:
    """The address of a part of an object of the old version, and where that is in the new one. A
    path's last index may be the array's length."""
    target: str
    path: tuple = ()
    tag: int = 0  # bits that are no part of the address


@dataclass(frozen=True)
class Text:
    """Into a string literal."""
    text: str
    offset: int = 0


@dataclass(frozen=True)
class Call:
    function: str


@dataclass(frozen=True)
class Odd:
    """A small number in a pointer; 0 is NULL."""
    number: int = 0


@dataclass(frozen=True)
class Freed:
    """Of memory that was given back."""
    block: str


NULL = Odd(0)


@dataclass
class Live:
    """The member of a union that is in use; None: none is."""
    member: str | None
    value: object


def bare(value):
    """A value without which members of its unions are in use: alike means the same bytes."""
    if isinstance(value, Live):
        return bare(value.value)
    if isinstance(value, list):
        return [bare(v) for v in value]
    return {k: bare(v) for k, v in value.items()} if isinstance(value, dict) else value


@dataclass
class Variable:
    name: str
    old_type: object  # None: the new version adds it
    new_type: object  # None: it is gone
    scope: str = "global"  # static, or the function that it is a static of
    initial: object = None  # None: without initialiser
    value: object = None
    new_initial: object = None
    new_name: str = ""  # renamed_from; "": it has the old one
    is_own: bool = False  # dont_transfer

    def old_root(self):
        return self.old_type

    def new_root(self):
        return self.new_type


@dataclass
class Block:
    """A heap block; a pointer's path begins with the element's index."""
    name: str
    element: object
    value: list  # of the elements
    how: str = "malloc"
    tail: int = 0  # elements of its flexible array
    new_element: object = None
    is_own = False

    def old_root(self):
        return Array(self.element, 0)

    def new_root(self):
        return Array(self.new_element, 0)


def zero(world: World, type_, tail: int = 0):
    if isinstance(type_, (Pointer, FunctionPointer)):
        return NULL
    if isinstance(type_, Array):
        return [zero(world, type_.of) for _ in range(type_.count or tail)]
    if isinstance(type_, Opaque):
        return zero(world, type_.of)
    if isinstance(type_, Float):
        return 0.0
    if isinstance(type_, Int) or is_enum(type_):
        return 0
    if type_.keyword == "union":
        first = world[type_.tag].members[0]
        return Live(first.name, zero(world, first.type))
    return {m.name: zero(world, m.type, tail) for m in world[type_.tag].members}


def is_zero(value) -> bool:
    if isinstance(value, dict):
        return all(is_zero(v) for v in value.values())
    if isinstance(value, list):
        return all(is_zero(v) for v in value)
    if isinstance(value, Live):
        return value.member is None or is_zero(value.value)
    return value == 0 or value == NULL


def code(world: World, type_) -> str:
    """How a number lies in memory."""
    if isinstance(type_, Float):
        return "f" if type_.name == "float" else "d"
    if is_enum(type_):
        return "i" if min(world[type_.tag].constants.values()) < 0 else "I"
    letter = {8: "b", 16: "h", 32: "i", 64: "q"}[type_.bits]
    return letter if type_.signed else letter.upper()


class Worlds:
    """Both versions' types, and how values and places go from the one to the other."""

    def __init__(self, old: World, new: World, tags: dict[str, str]):
        """@param tags  of types that were renamed: old name -> new"""
        self.old, self.new, self.tags = old, new, tags

    def translate(self, type_):
        return translate(self.tags, type_)

    # ---- values ----

    def number(self, old, new, value: int, new_bits: int = 0) -> int:
        if is_enum(old) and is_enum(new):
            after = self.new[new.tag]
            names = [name for name, n in self.old[old.tag].constants.items() if n == value]
            for name in names:
                now = after.renamed.get(name, name)
                if now not in after.constants:
                    raise Refused(f"enumerator {name} is gone")
                return after.constants[now]
            if value == 0:
                return 0
            raise Refused("no enumerator")
        if isinstance(new, Int) and not new.holds(value, new_bits):
            raise Refused("does not fit")
        return value

    def real(self, new, value, new_bits: int):
        """From or to floating point: the value stays exactly the same."""
        if isinstance(new, Float):
            kept = float(value)
            if new.name == "float":
                kept = struct.unpack("f", struct.pack("f", kept))[0]
        else:
            kept = int(value)
            if not new.holds(kept, new_bits):
                raise Refused("does not fit")
        if kept != value:
            raise Refused("does not fit")
        return kept

    def convert(self, old, new, value, default, new_bits: int = 0):
        """The new value for an old one. `default` is what the new version begins with."""
        if isinstance(new, Opaque):
            return struct.unpack(code(self.new, new.of),
                                 struct.pack(code(self.old, old.of), value))[0]
        if isinstance(old, (Int, Float)) or is_enum(old):
            if isinstance(old, Float) or isinstance(new, Float):
                return self.real(new, value, new_bits)
            return self.number(old, new, value, new_bits)
        if isinstance(old, Array):
            kept = [self.convert(old.of, new.of, v, d) for v, d in zip(value, default)]
            if not is_zero(value[len(default):]):
                raise Refused("does not fit the array")
            return kept + default[len(kept):]
        if isinstance(value, Live):
            return self.union(old, new, value)
        return self.struct(old, new, value, default) if is_record(old) else value

    def union(self, old, new, value: Live) -> Live:
        n = self.new[new.tag].member(value.member) if value.member else None
        if not n:
            return Live(None, None)  # the annotation says that nothing is live
        m = self.old[old.tag].member(value.member)
        return Live(n.name, self.convert(m.type, n.type, value.value, zero(self.new, n.type)))

    def struct(self, old, new, value: dict, default: dict) -> dict:
        result = copy.deepcopy(default)
        homes = self.new[new.tag].homes
        names = [(m.name,) for m in self.old[old.tag].members]
        for path in [*(p for p in names if p not in homes), *homes]:
            found = self.follow(old, new, path)
            if not found:
                continue
            home, type_, bits = found
            was, had = old, value
            for name in path:
                was, had = self.old[was.tag].member(name).type, had[name]
            holder = result
            for name in home[:-1]:
                holder = holder[name]
            holder[home[-1]] = self.convert(was, type_, had, holder[home[-1]], bits)
        return result

    def variable(self, v: Variable):
        """What the new version's variable must hold."""
        begins = v.new_initial if v.new_initial is not None else zero(self.new, v.new_type)
        if v.old_type is None or v.is_own:
            return begins
        was_initialised = v.initial is not None and not is_zero(v.initial)
        if was_initialised and v.value == v.initial:
            if v.new_initial is not None and not is_zero(v.new_initial):
                return v.new_initial
        return self.convert(v.old_type, v.new_type, v.value, begins)

    def block(self, b: Block) -> list:
        begins = zero(self.new, b.new_element, b.tail)
        return [self.convert(b.element, b.new_element, v, begins) for v in b.value]

    # ---- places ----

    def follow(self, old, new, path: tuple, with_ends: bool = False):
        """Where a part of an old object is in the new one: its path, its type and a bit-field's
        width. None: the new version has no place for it, or keeps its own value there.
        @param with_ends  the end of an array is a place"""
        now, bits, at = [], 0, 0
        while at < len(path):
            if isinstance(old, Array):
                is_end = with_ends and at + 1 == len(path) and path[at] == new.count
                if new.count and path[at] >= new.count and not is_end:
                    return None
                now.append(path[at])
                old, new, bits, at = old.of, new.of, 0, at + 1
                continue
            homes = self.new[new.tag].homes
            key = next((k for k in (path[at:at + 2], path[at:at + 1]) if k in homes),
                       path[at:at + 1])
            for name in key:
                old = self.old[old.tag].member(name).type
            for name in homes.get(key, key):
                m = self.new[new.tag].member(name)
                if m is None or m.is_own:
                    return None
                now.append(name)
                new, bits = m.type, m.bits
            at += len(key)
        return tuple(now), new, bits
