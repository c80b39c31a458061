"""Makes the new version's types out of the old one's."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from shape import (BOOL, CHAR, COOKIE, FLOATS, INTS, Array, Enum, Float, Int, LiveBy, Member, Named,
                   Opaque, Pointer, Struct, World, declare, innermost, is_enum, is_record, meant,
                   translate)


class Changer:
    def __init__(self, rng: Random, old: World, names, frozen: set[str], is_private: bool):
        """@param is_private  another file may have the same names: then none is changed"""
        self.rng, self.old, self.names, self.frozen = rng, old, names, frozen
        self.is_private = is_private
        self.new: World = {}
        self.tags: dict[str, str] = {}  # of types that are renamed: old -> new

    def types(self) -> World:
        for tag, definition in self.old.items():
            if tag in self.frozen:
                self.new[tag] = definition
            elif isinstance(definition, Enum):
                self.new[tag] = self.enum(definition)
            else:
                self.new[tag] = self.struct(definition)
        for tag, definition in list(self.new.items()):
            if isinstance(definition, Struct) and tag not in self.frozen:
                self.follow_unions(definition)
                if not self.is_embedded(tag) and self.rng.random() < 0.3:
                    self.rng.choice([self.move_in, self.move_out])(tag, definition)
                if not self.is_private:
                    self.rename_members(tag, definition)
        if not self.is_private:
            self.rename_types()
        return self.new

    # ---- numbers ----

    def enum(self, old: Enum) -> Enum:
        rng = self.rng
        names, renamed = list(old.constants), {}
        if rng.random() < 0.4 and len(names) > 2:
            names.remove(rng.choice(names))
        if rng.random() < 0.3 and not self.is_private:
            at = rng.randrange(len(names))
            renamed[names[at]] = self.names("E")
            names[at] = renamed[names[at]]
        for _ in range(rng.randrange(3)):
            names.insert(rng.randrange(len(names) + 1), self.names("E"))
        if rng.random() < 0.3:
            rng.shuffle(names)
        low = rng.choice([0, 0, 1, -2, 100])
        return Enum({name: low + i for i, name in enumerate(names)}, renamed)

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

    def opaque(self, type_: Opaque) -> Opaque:
        """Another one of the same size."""
        bits = {"float": 32, "double": 64}[type_.of.name] if isinstance(type_.of, Float) \
            else 32 if is_enum(type_.of) else type_.of.bits
        return Opaque(self.rng.choice([type_.of, *(t for t in INTS if t.bits == bits)]))

    def retype(self, type_):
        rng = self.rng
        if isinstance(type_, Array):
            is_opaque = isinstance(innermost(type_), Opaque)  # then its size stays
            if not is_opaque and (rng.random() < 0.4 or isinstance(type_.of, Array)):
                count = type_.count + rng.choice([-1, 1, 1, 2, 3])
                return Array(type_.of, max(count, 1))
            return Array(self.retype(type_.of), type_.count)
        if isinstance(type_, Opaque):
            return self.opaque(type_)
        if isinstance(type_, Pointer) and type_.is_word:
            return Pointer(type_.to)
        if isinstance(type_, (Int, Float)) or is_enum(type_):
            return self.number(type_)
        return type_

    # ---- members ----

    def member(self, m: Member) -> Member:
        rng = self.rng
        if m.is_fixed or m.by:
            return m
        if m.bits and rng.random() < 0.6:
            return replace(m, bits=rng.randint(1, m.type.bits))
        if m.bits and rng.random() < 0.5:
            return replace(m, type=rng.choice(INTS), bits=0)
        if isinstance(m.type, Int) and m.type not in (BOOL, CHAR, COOKIE) and not m.is_own and \
                rng.random() < 0.15:
            return replace(m, bits=rng.randint(1, m.type.bits))
        return m if m.bits else replace(m, type=self.retype(m.type))

    def added(self, removed: list[Member]) -> Member:
        """A member whose type none of the removed ones had, as written or as an annotation says: it
        is no rename of them."""
        rng = self.rng
        keys = {declare(t) for m in removed for t in (m.type, meant(m.type))}
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
            at = rng.randrange(len(members))
            if kind == "remove" and len(members) > 1 and not members[at].is_fixed:
                removed.append(old.member(members.pop(at).name))
            elif kind == "reorder":
                rng.shuffle(members)
            elif kind == "retype" and members[at] in old.members:
                members[at] = self.member(members[at])
        for _ in range(rng.choice([0, 1, 1, 2])):
            members.insert(rng.randrange(len(members) + 1), self.added(removed))
        return Struct(members + [tail] if tail else members)

    # ---- unions that an annotation explains ----

    def follow_unions(self, new: Struct) -> None:
        """Changes them, and says the same of them in the new version's words."""
        for i, m in enumerate(new.members):
            if not m.by:
                continue
            union = self.new[m.type.tag] = self.union(self.old[m.type.tag])
            discriminator = new.member(m.by.field)
            cases = []
            for key, member in m.by.cases:
                if isinstance(key, str):
                    enum = self.new[discriminator.type.tag]
                    key = enum.renamed.get(key, key)
                    if key not in enum.constants:
                        continue
                cases.append((key, member if member and union.member(member) else None))
            default = m.by.default
            if default and not union.member(default):
                default = None
            new.members[i] = replace(m, by=LiveBy(m.by.field, tuple(cases), default))

    def union(self, old: Struct) -> Struct:
        rng = self.rng
        members = [m if rng.random() < 0.6 else
                   replace(m, type=Array(self.retype(m.type.of), m.type.count))
                   if isinstance(m.type, Array) else replace(m, type=self.retype(m.type))
                   for m in old.members]
        if rng.random() < 0.3 and len(members) > 2:
            members.pop(rng.randrange(len(members)))
        if rng.random() < 0.4:
            members.append(Member(self.names("u"), rng.choice(INTS)))
        if rng.random() < 0.4:
            rng.shuffle(members)
        return Struct(members)

    # ---- moves ----

    def is_embedded(self, tag: str) -> bool:
        """Does another struct hold one? Then an object might hold several, and a name that moves
        might be meant for either."""
        return any(is_record(m.type) and m.type.tag == tag
                   for d in self.old.values() if isinstance(d, Struct) for m in d.members)

    def has_told(self, type_) -> bool:
        """Is there a union in it that an annotation explains?"""
        type_ = innermost(type_)
        definition = self.old[type_.tag] if is_record(type_) else None
        return definition is not None and \
            any(m.by or self.has_told(m.type) for m in definition.members)

    def may_move(self, old: Struct, m: Member) -> bool:
        is_tail = isinstance(m.type, Array) and not m.type.count
        is_opaque = isinstance(innermost(m.type), Opaque)
        return old.member(m.name) is not None and not is_tail and not is_opaque and \
            not m.is_own and not m.by and not m.is_fixed

    def move_in(self, tag: str, new: Struct) -> None:
        """Some members move into a struct that the new version adds."""
        rng = self.rng
        moving = [m for m in new.members if self.may_move(self.old[tag], m)]
        moving = rng.sample(moving, min(len(moving), rng.randint(1, 2)))
        if not moving:
            return
        inner, name = self.names("t"), self.names("m")
        members = [*moving, *(self.added([]) for _ in range(rng.randrange(2)))]
        rng.shuffle(members)
        at = min(new.members.index(m) for m in moving)
        new.members[:] = [m for m in new.members if m not in moving]
        new.members.insert(rng.choice([0, min(at, len(new.members))]),
                           Member(name, Named("struct", inner)))
        self.new[inner] = Struct(members)
        for m in moving:
            new.homes[(m.name,)] = (name, m.name)

    def move_out(self, tag: str, new: Struct) -> None:
        """Some members of a struct in it become its own."""
        rng = self.rng
        inner = [m for m in self.old[tag].members if is_record(m.type) and m.type.tag in self.new and
                 m.type.keyword == "struct" and m.type.tag not in self.frozen]
        tags = [m.type.tag for m in inner]
        inner = [m for m in inner if tags.count(m.type.tag) == 1 and
                 not any(self.holds(t, m.type.tag) for t in tags)]
        if not inner:
            return
        holder = rng.choice(inner)
        after = self.new[holder.type.tag]
        before = self.old[holder.type.tag]
        stays = new.member(holder.name) is not None
        # Where the struct lies elsewhere, what has left it must not look renamed.
        added = {declare(m.type) for m in after.members if not before.member(m.name)}
        # What the new version lacks is zero, which may be no legal discriminator.
        moving = [m for m in after.members if self.may_move(before, m) and not after.homes and
                  declare(before.member(m.name).type) not in added and
                  (stays or not self.has_told(before.member(m.name).type))]
        if stays and len(moving) == len(after.members):
            moving = moving[1:]
        for m in rng.sample(moving, min(len(moving), rng.randint(1, 2))):
            if stays:
                after.members.remove(m)
            new.members.insert(0, m)
            new.homes[(holder.name, m.name)] = (m.name,)

    def holds(self, tag: str, inner: str) -> bool:
        return any(is_record(m.type) and (m.type.tag == inner or self.holds(m.type.tag, inner))
                   for m in self.old[tag].members)

    # ---- names ----

    def rename_members(self, tag: str, new: Struct) -> None:
        for i, m in enumerate(new.members):
            was = self.old[tag].member(m.name)
            if was and not m.is_fixed and self.rng.random() < 0.08:
                name = self.names("m")
                new.members[i] = replace(m, name=name, was=m.name)
                new.homes[(m.name,)] = (name,)

    def rename_types(self) -> None:
        for tag, d in self.old.items():
            if tag not in self.frozen and self.rng.random() < 0.12 and \
                    not (isinstance(d, Struct) and self.is_union(tag)):
                self.tags[tag] = self.names("e" if isinstance(d, Enum) else "t")
        for tag, d in list(self.new.items()):
            if isinstance(d, Struct) and self.tags:
                d = self.new[tag] = Struct([replace(m, type=translate(self.tags, m.type))
                                            for m in d.members], d.homes)
            if tag in self.tags:
                self.new[self.tags[tag]] = self.new.pop(tag)
                d.was = tag

    def is_union(self, tag: str) -> bool:
        return any(innermost(m.type) == Named("union", tag)
                   for d in self.old.values() if isinstance(d, Struct) for m in d.members)
