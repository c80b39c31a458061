"""Makes the types of a case's old version."""

from __future__ import annotations

from random import Random

from shape import (BOOL, CHAR, COOKIE, FLOATS, INTS, Array, Enum, FunctionPointer, LiveBy, Member,
                   Named, Opaque, Pointer, Struct, World, innermost, same)


class TypeMaker:
    def __init__(self, rng: Random, names):
        """@param names  makes a new name of a kind"""
        self.rng, self.names = rng, names
        self.old: World = {}
        self.frozen: set[str] = set()  # tags of types that the new version has as they are
        self.tags: list[str] = []  # of structs that anything may hold
        self.flexible: str | None = None  # of one that ends in a flexible array
        self.enums()
        self.structs()
        if rng.random() < 0.6:
            self.add_flexible()

    def enums(self) -> None:
        rng = self.rng
        for _ in range(rng.choice([0, 1, 1, 2])):
            tag = self.names("e")
            low = rng.choice([0, 0, 0, 5, -3])
            self.old[tag] = Enum({self.names("E"): low + i for i in range(rng.randint(2, 5))})
            if rng.random() < 0.2:
                self.frozen.add(tag)

    def structs(self) -> None:
        rng = self.rng
        self.tags = [self.names("t") for _ in range(rng.randint(2, 4))]
        for i, tag in enumerate(self.tags):
            is_frozen = rng.random() < 0.3
            if is_frozen:
                self.frozen.add(tag)
            members = [self.member(self.tags[:i], is_frozen) for _ in range(rng.randint(1, 6))]
            self.old[tag] = Struct(members)
            kind = rng.random()
            if kind < 0.35:
                self.insert(tag, [Member(self.names("m"), self.union())])
            elif kind < 0.6 and not is_frozen:
                self.insert(tag, self.explained_union())
            own = Named("struct", tag)
            if is_frozen and not same(self.old, self.old, {}, own, own):
                self.frozen.discard(tag)

    def insert(self, tag: str, added: list[Member]) -> None:
        members = self.old[tag].members
        for m in added:
            members.insert(self.rng.randrange(len(members) + 1), m)
        self.old[tag] = self.old.pop(tag)  # its definition follows those of its members

    def add_flexible(self) -> None:
        """For the heap only."""
        rng = self.rng
        self.flexible = self.names("v")
        of = rng.choice([rng.choice(INTS), CHAR, Named("struct", rng.choice(self.tags))])
        members = [self.member(self.tags, False) for _ in range(rng.randint(1, 3))]
        self.old[self.flexible] = Struct([*members, Member(self.names("m"), Array(of, 0))])

    # ---- members ----

    def enum_types(self) -> list[Named]:
        return [Named("enum", t) for t, d in self.old.items() if isinstance(d, Enum)]

    def target(self):
        """What a pointer points to."""
        structs = [Named("struct", t) for t in self.tags]
        return self.rng.choice([None, CHAR, self.rng.choice(INTS), *structs, *structs])

    def scalar(self):
        rng = self.rng
        enums = self.enum_types()
        kind = rng.random()
        if kind < 0.4:
            return rng.choice(INTS)
        if kind < 0.5:
            return rng.choice(FLOATS)
        if kind < 0.58:
            return rng.choice([BOOL, CHAR])
        if kind < 0.68 and enums:
            return rng.choice(enums)
        if kind < 0.74:
            return FunctionPointer()
        return Pointer(self.target())

    def marked(self):
        """A scalar that an annotation explains."""
        rng = self.rng
        kind = rng.random()
        target = rng.choice([None, *(Named("struct", t) for t in self.tags)])
        if kind < 0.35:
            return Pointer(target, is_word=True)
        if kind < 0.6:
            return Pointer(target, mask=rng.choice([1, 3, 7, 0xff << 56, 0xffff << 48 | 1]))
        if kind < 0.75:
            return COOKIE
        return Opaque(rng.choice([*INTS, *FLOATS, *self.enum_types()]))

    def object_scalar(self):
        return self.marked() if self.rng.random() < 0.08 else self.scalar()

    def is_frozen(self, type_) -> bool:
        type_ = innermost(type_)
        if isinstance(type_, Opaque):
            type_ = type_.of
        return not isinstance(type_, Named) or type_.tag in self.frozen

    def member(self, before: list[str], is_frozen: bool) -> Member:
        rng = self.rng
        if rng.random() < 0.15:
            type_ = rng.choice([t for t in INTS if t.name != "long"])
            return Member(self.names("m"), type_, rng.randint(1, type_.bits))
        if rng.random() < 0.06:
            type_ = rng.choice([self.scalar(), Array(rng.choice(INTS), 2)])
            if not is_frozen:
                return Member(self.names("m"), type_, is_own=True)
        type_ = Named("struct", rng.choice(before)) if before and rng.random() < 0.25 \
            else self.object_scalar()
        if rng.random() < 0.25:
            type_ = Array(type_, rng.randint(1, 4))
            if rng.random() < 0.2:
                type_ = Array(type_, rng.randint(1, 3))
        if is_frozen and not self.is_frozen(type_):
            type_ = rng.choice(INTS)
        return Member(self.names("m"), type_)

    # ---- unions ----

    def union(self) -> Named:
        """Its layout stays, and it points to what stays."""
        rng = self.rng
        members = [Member(self.names("u"), rng.choice([*INTS, *FLOATS, Array(CHAR, 5)]))
                   for _ in range(rng.randint(2, 3))]
        frozen = [t for t in self.tags if t in self.frozen]
        if frozen and rng.random() < 0.5:
            members.append(Member(self.names("u"), Pointer(Named("struct", rng.choice(frozen)))))
        return self.add_union(members)

    def add_union(self, members: list[Member]) -> Named:
        tag = self.names("w")
        self.old[tag] = Struct(members)
        self.frozen.add(tag)
        return Named("union", tag)

    def explained_union(self) -> list[Member]:
        """A union that may change, and what tells which of its members is live."""
        rng = self.rng
        members = [Member(self.names("u"), rng.choice([self.scalar(), self.scalar(), Array(CHAR, 5)]))
                   for _ in range(rng.randint(2, 4))]
        enums = self.enum_types()
        if enums and rng.random() < 0.5:
            type_ = rng.choice(enums)
            keys = list(self.old[type_.tag].constants)
            default = rng.choice([None, rng.choice(members).name])
        else:
            type_ = rng.choice(INTS)
            keys = rng.sample(range(60), 5)
            default = rng.choice([False, None, rng.choice(members).name])
        bits = rng.randint(7, type_.bits) if type_ in INTS and rng.random() < 0.2 else 0
        cases = tuple((key, rng.choice([None, *(m.name for m in members)]))
                      for key in rng.sample(keys, rng.randint(1, len(keys))))
        teller = Member(self.names("m"), type_, bits, is_fixed=True)
        by = LiveBy(teller.name, cases, default)
        return [teller, Member(self.names("m"), self.add_union(members), by=by)]
