"""Makes the new version's types out of the old one's."""

from __future__ import annotations

from random import Random

from shape import (BOOL, CHAR, FLOATS, INTS, Array, Enum, Float, Int, Member, Named, Pointer, Struct, World,
                   declare)


class Changer:
    def __init__(self, rng: Random, old: World, names, frozen: set[str]):
        self.rng, self.old, self.names, self.frozen = rng, old, names, frozen
        self.new: World = {}

    def types(self) -> World:
        for tag, definition in self.old.items():
            if tag in self.frozen:
                self.new[tag] = definition
            elif isinstance(definition, Enum):
                self.new[tag] = self.enum(definition)
            else:
                self.new[tag] = self.struct(definition)
        return self.new

    def enum(self, old: Enum) -> Enum:
        rng = self.rng
        names = list(old.constants)
        if rng.random() < 0.4 and len(names) > 2:
            names.remove(rng.choice(names))
        for _ in range(rng.randrange(3)):
            names.insert(rng.randrange(len(names) + 1), self.names("E"))
        if rng.random() < 0.3:
            rng.shuffle(names)
        low = rng.choice([0, 0, 1, -2, 100])
        return Enum({name: low + i for i, name in enumerate(names)})

    def number(self, type_):
        """Another type for a number."""
        rng = self.rng
        enums = [Named("enum", t) for t, d in self.old.items() if isinstance(d, Enum)]
        if enums and rng.random() < 0.15 and isinstance(type_, Int):
            return rng.choice(enums)
        if rng.random() < 0.1:
            return BOOL
        if rng.random() < 0.15 and not isinstance(type_, Named):
            return rng.choice(FLOATS)
        return rng.choice(INTS)

    def retype(self, type_):
        rng = self.rng
        if isinstance(type_, Array):
            if rng.random() < 0.4 or isinstance(type_.of, Array):
                count = type_.count + rng.choice([-1, 1, 1, 2, 3])
                return Array(type_.of, max(count, 1))
            return Array(self.retype(type_.of), type_.count)
        if isinstance(type_, (Int, Float)) or isinstance(type_, Named) and type_.keyword == "enum":
            return self.number(type_)
        return type_

    def member(self, m: Member) -> Member:
        rng = self.rng
        if m.bits and rng.random() < 0.6:
            return Member(m.name, m.type, rng.randint(1, m.type.bits))
        if m.bits and rng.random() < 0.5:
            return Member(m.name, rng.choice(INTS))
        if isinstance(m.type, Int) and m.type not in (BOOL, CHAR) and rng.random() < 0.15:
            return Member(m.name, m.type, rng.randint(1, m.type.bits))
        return m if m.bits else Member(m.name, self.retype(m.type))

    def added(self, removed: list[Member]) -> Member:
        """A member whose type none of the removed ones had: it is no rename of them."""
        rng = self.rng
        keys = {declare(m.type) for m in removed}
        types = [t for t in [*INTS, BOOL, Pointer(None), Array(CHAR, rng.randint(2, 9))]
                 if declare(t) not in keys]
        return Member(self.names("m"), rng.choice(types))

    def struct(self, old: Struct) -> Struct:
        rng = self.rng
        members, removed = list(old.members), []
        tail = members.pop() if isinstance(members[-1].type, Array) and not members[-1].type.count \
            else None
        for _ in range(rng.randint(1, 4)):
            kind = rng.choice(["add", "add", "remove", "reorder", "retype", "retype"])
            if kind == "remove" and len(members) > 1:
                removed.append(old.member(members.pop(rng.randrange(len(members))).name))
            elif kind == "reorder":
                rng.shuffle(members)
            elif kind == "retype":
                at = rng.randrange(len(members))
                if members[at] in old.members:
                    members[at] = self.member(members[at])
        for _ in range(rng.choice([0, 1, 1, 2])):
            members.insert(rng.randrange(len(members) + 1), self.added(removed))
        return Struct(members + [tail] if tail else members)
