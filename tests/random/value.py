"""Values, the objects that hold them, and what an update must make of them.

This is the oracle: it follows the rules of docs/state-transfer.md on the generator's own model and
shares nothing with libst. A value of a struct is a dict, one of an array a list, of a union
a `Live`; numbers are Python's; pointers are the classes below."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from shape import Array, Float, FunctionPointer, Int, Named, Pointer, World, step


class Refused(Exception):
    """The update cannot carry this value over."""


@dataclass(frozen=True)
class Ref:
    """The address of a part of an object. A path's last index may be the array's length."""
    target: str
    path: tuple = ()


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
    """The member of a union that is in use."""
    member: str
    value: object


@dataclass
class Variable:
    name: str
    old_type: object  # None: the new version adds it
    new_type: object  # None: it is gone
    scope: str = "global"  # static, or the function that it is a static of
    initial: object = None  # None: without initialiser
    value: object = None
    new_initial: object = None
    is_const: bool = False


@dataclass
class Block:
    """A heap block; a pointer's path begins with the element's index."""
    name: str
    element: object
    values: list  # of the elements
    how: str = "malloc"
    tail: int = 0  # elements of its flexible array
    new_element: object = None


def zero(world: World, type_, tail: int = 0):
    if isinstance(type_, (Pointer, FunctionPointer)):
        return NULL
    if isinstance(type_, Array):
        return [zero(world, type_.of) for _ in range(type_.count or tail)]
    if isinstance(type_, Float):
        return 0.0
    if isinstance(type_, Int) or type_.keyword == "enum":
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
        return is_zero(value.value)
    return value == 0 or value == NULL


class Worlds:
    """Both versions' types, and how values go from the one to the other."""

    def __init__(self, old: World, new: World):
        self.old, self.new = old, new

    def number(self, old, new, value: int, old_bits: int = 0, new_bits: int = 0) -> int:
        if isinstance(old, Named) and isinstance(new, Named):
            for name, number in self.old[old.tag].constants.items():
                if number == value:
                    if name not in self.new[new.tag].constants:
                        raise Refused(f"enumerator {name} is gone")
                    return self.new[new.tag].constants[name]
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

    def convert(self, old, new, value, default, old_bits: int = 0, new_bits: int = 0):
        """The new value for an old one. `default` is what the new version begins with."""
        numbers = (Int, Float)
        if isinstance(old, numbers) or isinstance(old, Named) and old.keyword == "enum":
            if isinstance(old, Float) or isinstance(new, Float):
                return self.real(new, value, new_bits)
            return self.number(old, new, value, old_bits, new_bits)
        if isinstance(old, Array):
            kept = [self.convert(old.of, new.of, v, d) for v, d in zip(value, default)]
            if not is_zero(value[len(default):]):
                raise Refused("does not fit the array")
            return kept + default[len(kept):]
        if isinstance(old, Named) and old.keyword == "struct":
            result = dict(default)
            for m in self.old[old.tag].members:
                n = self.new[new.tag].member(m.name)
                if n:
                    result[m.name] = self.convert(m.type, n.type, value[m.name], default[m.name],
                                                  m.bits, n.bits)
            return result
        return value

    def variable(self, v: Variable):
        """What the new version's variable must hold."""
        begins = v.new_initial if v.new_initial is not None else zero(self.new, v.new_type)
        if v.is_const or v.old_type is None:
            return begins
        was_initialised = v.initial is not None and not is_zero(v.initial)
        if was_initialised and v.value == v.initial:
            if v.new_initial is not None and not is_zero(v.new_initial):
                return v.new_initial
        return self.convert(v.old_type, v.new_type, v.value, begins)

    def block(self, b: Block) -> list:
        begins = zero(self.new, b.new_element, b.tail)
        return [self.convert(b.element, b.new_element, v, begins) for v in b.values]

    def has(self, type_, path: tuple, new: bool) -> bool:
        """Does an object of a version have this part (or the end of this array)?"""
        world = self.new if new else self.old
        for i, at in enumerate(path):
            if isinstance(type_, Array) and isinstance(at, int) and type_.count:
                if at > type_.count or at == type_.count and i + 1 < len(path):
                    return False
            type_ = step(world, type_, at)
            if type_ is None:
                return False
        return True
