"""One random pair: the types, objects and values of two versions, and what may go wrong."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from random import Random

from change import Changer
from shape import (BOOL, CHAR, FLOATS, INTS, Array, Enum, Float, FunctionPointer, Int, Member,
                   Named, Pointer, Struct, World, declare, may_point, same, step)
from value import (NULL, Block, Call, Freed, Live, Odd, Ref, Refused, Text, Variable, Worlds,
                   zero)

TEXTS = ["", "a", "state", "update me", "tab\\there", "%d of %s", "0123456789abcdef"]


@dataclass
class Choice:
    """A value that one run stores somewhere: the update must be refused for it, or may be."""
    target: str
    path: tuple
    value: object
    certain: bool  # else it may also be carried over, rightly
    says: str  # what the violation must say, a regular expression
    datum: tuple | None = None  # the path that it names, if not the one above


class Case:
    def __init__(self, seed: int, prefix: str, private: bool = False):
        """@param private  nothing of it has a name outside of its file, where another case may
        have the same names for other things"""
        self.seed, self.prefix, self.private, self.counter = seed, prefix, private, 0
        self.rng = rng = Random(seed)
        self.frozen: set[str] = set()
        self.old: World = {}
        self.make_types()
        self.new = Changer(rng, self.old, self.name, self.frozen).types()
        self.worlds = Worlds(self.old, self.new)
        self.functions = [self.name("f") for _ in range(3)]
        self.gone_function = self.name("f")
        self.static_functions = {f for f in [*self.functions, self.gone_function]
                                 if private or rng.random() < 0.5}
        self.variables: dict[str, Variable] = {}
        self.blocks: dict[str, Block] = {}
        self.freed: list[str] = []
        self.choices: list[Choice] = []
        self.make_variables()
        self.make_blocks()
        self.fill_pointers()
        self.root_blocks()
        self.make_untyped()
        if private:
            self.anchor_types()
        self.make_initials()
        self.choose()

    def name(self, kind: str) -> str:
        self.counter += 1
        return f"{self.prefix}_{kind}{self.counter}"

    # ---- types ----

    def make_types(self) -> None:
        rng = self.rng
        for _ in range(rng.choice([0, 1, 1, 2])):
            tag = self.name("e")
            low = rng.choice([0, 0, 0, 5, -3])
            self.old[tag] = Enum({self.name("E"): low + i for i in range(rng.randint(2, 5))})
            if rng.random() < 0.2:
                self.frozen.add(tag)
        tags = [self.name("t") for _ in range(rng.randint(2, 4))]
        for i, tag in enumerate(tags):
            frozen = rng.random() < 0.3
            if frozen:
                self.frozen.add(tag)
            members = [self.member(tags, tags[:i], frozen) for _ in range(rng.randint(1, 6))]
            self.old[tag] = Struct(members)
            if rng.random() < 0.5:
                union = self.union(tags)
                if union:
                    members.insert(rng.randrange(len(members) + 1), Member(self.name("m"), union))
                    # Where a union lies does not matter, but its struct's definition must follow.
                    self.old[tag] = self.old.pop(tag)
            if frozen and not same(self.old, self.old, Named("struct", tag), Named("struct", tag)):
                self.frozen.discard(tag)
        if rng.random() < 0.6:  # one that ends in a flexible array, for the heap only
            tag = self.name("v")
            of = rng.choice([rng.choice(INTS), CHAR, Named("struct", rng.choice(tags))])
            members = [self.member(tags, tags, False) for _ in range(rng.randint(1, 3))]
            self.old[tag] = Struct([*members, Member(self.name("m"), Array(of, 0))])
            self.flexible = tag
        else:
            self.flexible = None
        self.tags = tags

    def anchor_types(self) -> None:
        """Where two files have different types of one name, variables show which is which."""
        for tag in [*self.tags, *([self.flexible] if self.flexible else [])]:
            type_ = Pointer(Named("struct", tag))
            name = self.name("k")
            self.variables[name] = Variable(name, type_, type_, "static", None, NULL)

    def scalar(self, tags: list[str]):
        rng = self.rng
        enums = [Named("enum", t) for t, d in self.old.items() if isinstance(d, Enum)]
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
        target = rng.choice([None, CHAR, rng.choice(INTS), *(Named("struct", t) for t in tags),
                             *(Named("struct", t) for t in tags)])
        return Pointer(target)

    def is_frozen(self, type_) -> bool:
        while isinstance(type_, Array):
            type_ = type_.of
        return not isinstance(type_, Named) or type_.tag in self.frozen

    def member(self, tags: list[str], before: list[str], frozen: bool) -> Member:
        rng = self.rng
        if rng.random() < 0.15:
            type_ = rng.choice([t for t in INTS if t.name != "long"])
            return Member(self.name("m"), type_, rng.randint(1, type_.bits))
        type_ = Named("struct", rng.choice(before)) if before and rng.random() < 0.25 \
            else self.scalar(tags)
        if rng.random() < 0.25:
            type_ = Array(type_, rng.randint(1, 4))
            if rng.random() < 0.2:
                type_ = Array(type_, rng.randint(1, 3))
        if frozen and not self.is_frozen(type_):
            type_ = rng.choice(INTS)
        return Member(self.name("m"), type_)

    def union(self, tags: list[str]):
        """Its layout stays, and it points to what stays."""
        rng = self.rng
        members = [Member(self.name("u"), rng.choice([*INTS, *FLOATS, Array(CHAR, 5)]))
                   for _ in range(rng.randint(2, 3))]
        frozen = [t for t in tags if t in self.frozen]
        if frozen and rng.random() < 0.5:
            members.append(Member(self.name("u"), Pointer(Named("struct", rng.choice(frozen)))))
        tag = self.name("w")
        self.old[tag] = Struct(members)
        self.frozen.add(tag)
        return Named("union", tag)

    # ---- numbers ----

    def number(self, old, new, old_bits: int = 0, new_bits: int = 0) -> int:
        """One that both types hold."""
        rng = self.rng
        if isinstance(old, Named):
            constants = self.old[old.tag].constants
            values = [v for k, v in constants.items()
                      if not isinstance(new, Named) or k in self.new[new.tag].constants]
            if isinstance(new, Int):
                values = [v for v in values if new.holds(v, new_bits)]
            return rng.choice(values) if values else 0
        low, high = old.range(old_bits)
        if isinstance(new, Int):
            other = new.range(new_bits)
            low, high = max(low, other[0]), min(high, other[1])
        elif isinstance(new, Named):
            values = [v for v in self.new[new.tag].constants.values() if low <= v <= high]
            return rng.choice(values) if values else 0
        if isinstance(new, Float):
            return rng.randint(max(low, -1 << 20), min(high, 1 << 20))
        kind = rng.random()
        if kind < 0.15:
            return low
        if kind < 0.4:
            return high
        if kind < 0.6:
            return rng.randint(max(low, -9), min(high, 99))
        return rng.randint(low, high)

    def random_value(self, old, new, old_bits: int = 0, new_bits: int = 0, tail: int = 0):
        """A value that both types hold; pointers come later. `new` may be None."""
        rng = self.rng
        if isinstance(old, (Pointer, FunctionPointer)):
            return NULL
        if isinstance(old, Float):
            if isinstance(new, Int):
                low, high = new.range(new_bits)
                return float(rng.randint(max(low, -1000), min(high, 1000)))
            return rng.choice([0.0, 1.5, -2.25, 1e10, rng.randint(-999, 999) / 8])
        if isinstance(old, Array):
            inner = new.of if new else None
            count = old.count or tail
            kept = min(count, (new.count or tail) if new else count)
            values = [self.random_value(old.of, inner) for _ in range(kept)]
            return values + [zero(self.old, old.of) for _ in range(count - kept)]
        if isinstance(old, Int) or old.keyword == "enum":
            return self.number(old, new, old_bits, new_bits)
        if old.keyword == "union":
            m = rng.choice(self.old[old.tag].members)
            return Live(m.name, self.random_value(m.type, m.type))
        after = self.new.get(new.tag) if new else None
        result = {}
        for m in self.old[old.tag].members:
            n = after.member(m.name) if after else None
            result[m.name] = self.random_value(m.type, n.type if n else None, m.bits,
                                               n.bits if n else 0, tail)
        return result

    # ---- objects ----

    def object_type(self):
        rng = self.rng
        type_ = Named("struct", rng.choice(self.tags)) if rng.random() < 0.5 \
            else self.scalar(self.tags)
        return Array(type_, rng.randint(1, 5)) if rng.random() < 0.35 else type_

    def scope(self) -> str:
        return self.rng.choice(["static" if self.private else "global", "static", "function"])

    def make_variables(self) -> None:
        rng = self.rng
        changer = Changer(rng, self.old, self.name, self.frozen)
        for _ in range(rng.randint(3, 7)):
            type_ = self.object_type()
            v = Variable(self.name("g"), type_, type_, self.scope())
            if rng.random() < 0.3:
                v.new_type = changer.retype(type_)
            if rng.random() < 0.1:
                v.new_type = None
            v.value = self.random_value(v.old_type, v.new_type)
            self.variables[v.name] = v
        gone = {declare(v.old_type) for v in self.variables.values() if not v.new_type}
        for _ in range(rng.randrange(3)):
            type_ = Array(rng.choice([*INTS, Named("struct", rng.choice(self.tags))]),
                          rng.randint(11, 15))
            if declare(type_) not in gone:
                v = Variable(self.name("n"), None, type_, self.scope())
                self.variables[v.name] = v

    def make_blocks(self) -> None:
        rng = self.rng
        for _ in range(rng.randint(2, 6)):
            kind, tail = rng.random(), 0
            if kind < 0.15:
                element = rng.choice(INTS)
            elif kind < 0.35 and self.flexible:
                element, tail = Named("struct", self.flexible), rng.randint(1, 4)
            else:
                element = Named("struct", rng.choice(self.tags))
            count = 1 if tail else rng.choice([1, 1, 1, 2, 3, 5])
            values = [self.random_value(element, element, tail=tail) for _ in range(count)]
            how = "malloc" if tail else rng.choice(["malloc", "calloc", "calloc", "wrapper"])
            b = Block(self.name("b"), element, values, how, tail, element)
            self.blocks[b.name] = b

    # ---- places ----

    def object(self, name: str):
        return self.variables.get(name) or self.blocks[name]

    def old_type(self, name: str, path: tuple):
        o = self.object(name)
        type_ = Array(o.element, 0) if isinstance(o, Block) else o.old_type
        for at in path:
            type_ = step(self.old, type_, at)
        return type_

    def survives(self, name: str, path: tuple) -> bool:
        o = self.object(name)
        type_ = Array(o.new_element, 0) if isinstance(o, Block) else o.new_type
        return type_ is not None and self.worlds.has(type_, path, new=True)

    def new_part(self, name: str, path: tuple):
        """Type and bit-field's width of a part in the new version; None if it has none."""
        o = self.object(name)
        type_ = Array(o.new_element, 0) if isinstance(o, Block) else o.new_type
        bits = 0
        for at in path:
            if isinstance(type_, Array) and type_.count and isinstance(at, int) and \
                    at >= type_.count:
                return None, 0
            bits = 0
            if isinstance(at, str) and isinstance(type_, Named) and type_.keyword != "enum":
                m = self.new[type_.tag].member(at)
                bits = m.bits if m else 0
            type_ = step(self.new, type_, at)
        return type_, bits

    def beyond(self, name: str, path: tuple) -> tuple | None:
        """The path of the first element that the new version has no room for, when a part lies in
        it or in what follows."""
        for i, at in enumerate(path):
            part, _ = self.new_part(name, path[:i])
            if isinstance(part, Array) and part.count and at >= part.count:
                return (*path[:i], part.count)
        return None

    def leaves(self, type_, value, path=(), bits=0):
        """The scalars of a value: path, type, bits, value."""
        if isinstance(value, list):
            for i, v in enumerate(value):
                yield from self.leaves(type_.of, v, (*path, i))
        elif isinstance(value, dict):
            for m in self.old[type_.tag].members:
                yield from self.leaves(m.type, value[m.name], (*path, m.name), m.bits)
        elif isinstance(value, Live):
            m = self.old[type_.tag].member(value.member)
            yield from self.leaves(m.type, value.value, (*path, m.name), m.bits)
        else:
            yield path, type_, bits, value

    def objects(self):
        """Name, type and value of everything that the old version has."""
        for v in self.variables.values():
            if v.old_type is not None and not v.is_const:
                yield v.name, v.old_type, v.value
        for b in self.blocks.values():
            if b.how != "untyped":
                yield b.name, Array(b.element, 0), b.values

    def all_leaves(self):
        for name, type_, value in self.objects():
            for path, leaf, bits, v in self.leaves(type_, value):
                yield name, path, leaf, bits, v

    def get(self, name: str, path: tuple):
        o = self.object(name)
        value = o.values if isinstance(o, Block) else o.value
        for at in path:
            value = value.value if isinstance(value, Live) else value[at]
        return value

    def set(self, name: str, path: tuple, new) -> None:
        o = self.object(name)
        if not path:
            o.value = new
            return
        holder = self.get(name, path[:-1])
        if isinstance(holder, Live):
            holder.value = new
        else:
            holder[path[-1]] = new

    def parts(self, type_, value, path=()):
        """Every object inside of one that has an address, itself first: path and type."""
        yield path, type_
        if isinstance(value, list):
            for i, v in enumerate(value):
                yield from self.parts(type_.of, v, (*path, i))
        elif isinstance(value, dict):
            for m in self.old[type_.tag].members:
                if not m.bits:
                    yield from self.parts(m.type, value[m.name], (*path, m.name))

    def ends(self, type_, value, path=()):
        """The end of every array inside of an object: path and the element's type."""
        for at, part in self.parts(type_, value, path):
            if isinstance(part, Array):
                inner = value
                for i in at:
                    inner = inner[i]
                yield (*at, len(inner)), part.of

    # ---- pointers ----

    def is_first(self, name: str, path: tuple, i: int) -> bool:
        """Does path[:i + 1] begin where path[:i] begins?"""
        if isinstance(path[i], int):
            return path[i] == 0
        holder = self.old_type(name, path[:i])
        return self.old[holder.tag].members[0].name == path[i]

    def doubtful(self, name: str, path: tuple) -> bool:
        """Might an array of the same type end where this part begins?"""
        is_block = name in self.blocks
        key = declare(self.old_type(name, path))
        for i in range(len(path) - 1, -1, -1):
            if i == 0 and is_block:
                return path[0] > 0 and self.ends_in(self.blocks[name].element, key)
            if not self.is_first(name, path, i):
                if isinstance(path[i], int):
                    return self.ends_in(self.old_type(name, path[:i + 1]), key)
                members = self.old[self.old_type(name, path[:i]).tag].members
                before = members[[m.name for m in members].index(path[i]) - 1]
                return self.ends_in(before.type, key)
        # The variable before it may belong to any case of the program.
        type_ = self.old_type(name, path)
        return not isinstance(type_, Named) or any(
            isinstance(v.old_type, Array) and self.ends_in(v.old_type, key)
            for v in self.variables.values())

    def ends_in(self, type_, key: str) -> bool:
        """Does an object of a type end in an array of `key`?"""
        if isinstance(type_, Array):
            return declare(type_.of) == key or self.ends_in(type_.of, key)
        if isinstance(type_, Named) and type_.keyword != "enum":
            return any(self.ends_in(m.type, key) for m in self.old[type_.tag].members)
        return False

    def targets(self):
        """Where pointers may point, by the type there: certain and doubtful ones, and those that
        the new version lacks."""
        certain, doubtful, gone, starts = {}, {}, {}, []
        for name, type_, value in self.objects():
            for path, part in self.parts(type_, value):
                if name in self.blocks and not path or isinstance(part, Array) and not part.count:
                    continue
                key = declare(part)
                doubt = self.doubtful(name, path)
                new, bits = self.new_part(name, path)
                if new is None or bits or not self.fits(part, new):
                    if not doubt:
                        gone.setdefault(key, []).append(Ref(name, path))
                    continue
                if not path or not self.is_first(name, path, len(path) - 1) or \
                        path == (0,) and name in self.blocks:
                    starts.append(Ref(name, path))
                if declare(new) != key:
                    continue
                (doubtful if doubt else certain).setdefault(key, []).append(Ref(name, path))
            for path, element in self.ends(type_, value):
                is_block_end = name in self.blocks and len(path) == 1
                array, _ = self.new_part(name, path[:-1])
                if self.survives(name, path) and array.of == element:
                    where = certain if is_block_end else doubtful
                    where.setdefault(declare(element), []).append(Ref(name, path))
        certain["void"] = starts
        return certain, doubtful, gone

    def fits(self, old, new) -> bool:
        """May a pointer to `old` be used for a `new`? Its own type stays."""
        if isinstance(old, Array) and isinstance(new, Array):
            return self.fits(old.of, new.of)
        sizes = [(t.bits + 7) // 8 if isinstance(t, Int) else 4 for t in (old, new)]
        numbers = all(isinstance(t, Int) or isinstance(t, Named) and t.keyword == "enum"
                      for t in (old, new))
        return sizes[0] == sizes[1] if numbers else declare(old) == declare(new)

    def is_union_path(self, name: str, path: tuple) -> bool:
        return any(isinstance(t, Named) and t.keyword == "union"
                   for t in (self.old_type(name, path[:i]) for i in range(1, len(path))))

    def fill_pointers(self) -> None:
        rng = self.rng
        certain, doubtful, gone = self.targets()
        for name, path, leaf, _, _ in list(self.all_leaves()):
            if self.beyond(name, path) is not None:
                continue
            if isinstance(leaf, FunctionPointer):
                value = rng.choice([NULL, *(Call(f) for f in self.functions)])
                self.set(name, path, value)
            elif isinstance(leaf, Pointer):
                self.set(name, path, self.pointer(name, path, leaf, certain))
                key = declare(leaf.to) if leaf.to else "void"
                if self.is_union_path(name, path):
                    continue
                if doubtful.get(key) and rng.random() < 0.15:
                    self.choices.append(Choice(name, path, rng.choice(doubtful[key]), False,
                                               "points to "))
                if gone.get(key) and rng.random() < 0.2:
                    self.choices.append(Choice(name, path, rng.choice(gone[key]), True,
                                               "points to "))

    def pointer(self, name: str, path: tuple, leaf: Pointer, certain: dict):
        rng = self.rng
        kind = rng.random()
        if kind < 0.1:
            return NULL
        key = declare(leaf.to) if leaf.to else "void"
        refs = certain.get(key, [])
        if self.is_union_path(name, path):
            refs = [r for r in refs if r.target in self.blocks and
                    same(self.old, self.new, self.blocks[r.target].element,
                         self.blocks[r.target].new_element)]
            return rng.choice(refs) if refs else NULL
        if kind < 0.14:
            return Odd(rng.choice([1, 5, 4095, -1]))
        if kind < 0.17:
            freed = self.name("d")
            self.freed.append(freed)
            return Freed(freed)
        if leaf.to == CHAR and kind < 0.7:
            text = rng.choice(TEXTS) + (f" {self.name('x')}" if rng.random() < 0.3 else "")
            return Text(text, 0)
        return rng.choice(refs) if refs else NULL

    def root_blocks(self) -> None:
        """Finds for each block what leads to it, and gives it a variable where nothing does."""
        self.leads: dict[str, tuple[str, tuple]] = {}
        work = [v.name for v in self.variables.values() if v.old_type is not None]
        names = list(self.blocks)
        while work or names:
            if work:
                name = work.pop(0)
                for target, path in self.refs(name):
                    if target not in self.leads:
                        self.leads[target] = (name, path)
                        work.append(target)
                continue
            b = self.blocks[names.pop(0)]
            if b.name not in self.leads:
                self.add_root(b, Pointer(b.element))
                work.append(b.name)

    def add_root(self, b: Block, type_) -> None:
        v = Variable(self.name("r"), type_, type_, "static", None, Ref(b.name, (0,)))
        self.variables[v.name] = v
        self.leads[b.name] = (v.name, ())

    def refs(self, name: str):
        """Blocks that an object points to, from where the new version still has it."""
        o = self.object(name)
        type_ = Array(o.element, 0) if isinstance(o, Block) else o.old_type
        value = o.values if isinstance(o, Block) else o.value
        for path, _, _, v in self.leaves(type_, value):
            if isinstance(v, Ref) and v.target in self.blocks and self.survives(name, path):
                yield v.target, path

    def make_untyped(self) -> None:
        """A block without a type: it pins what it points to."""
        rng = self.rng
        if rng.random() < 0.6:
            return
        stay = [b for b in self.blocks.values()
                if same(self.old, self.new, b.element, b.new_element)]
        words = []
        for _ in range(rng.randint(1, 4)):
            kept = [v for v in self.variables.values() if v.old_type is not None and v.new_type]
            choices = [Odd(rng.randrange(1, 60000)), Call(rng.choice(self.functions))]
            choices += [Ref(b.name, (0,)) for b in stay] + [Ref(v.name) for v in kept]
            words.append(rng.choice(choices))
        b = Block(self.name("b"), Pointer(None), words, "untyped", 0, Pointer(None))
        self.blocks[b.name] = b
        self.add_root(b, Pointer(None))
        moving = [x for x in self.blocks.values() if x not in stay and x is not b and
                  x.how != "untyped" and not self.only_grows(x.element)]
        if moving:
            self.choices.append(Choice(b.name, (0,), Ref(rng.choice(moving).name, (0,)), True,
                                       "holds the address of "))

    def only_grows(self, type_) -> bool:
        """Are the differences such as need no other layout (new enumerators)?"""
        def widened(t):
            if isinstance(t, Array):
                return widened(t.of)
            if not isinstance(t, Named):
                return True
            old, new = self.old[t.tag], self.new[t.tag]
            if isinstance(old, Enum):
                return all(new.constants.get(k) == v for k, v in old.constants.items())
            return [m.name for m in old.members] == [m.name for m in new.members] and all(
                m.bits == n.bits and m.type == n.type and widened(m.type)
                for m, n in zip(old.members, new.members))
        return widened(type_)

    # ---- initialisers ----

    def make_initials(self) -> None:
        rng = self.rng
        for v in self.variables.values():
            if v.old_type is None:
                if rng.random() < 0.5:
                    v.new_initial = self.initial(v.new_type, self.new)
                continue
            if rng.random() < 0.5:
                continue
            begins = zero(self.old, v.old_type)
            if self.is_constant(v, v.value) and rng.random() < 0.6:
                v.initial = copy.deepcopy(v.value)  # and the program does not change it
            elif not may_point(self.old, v.old_type):
                v.initial = self.random_value(v.old_type, v.new_type)
            if v.new_type is None or v.initial is None or rng.random() < 0.2:
                continue
            if rng.random() < 0.5:
                begins = zero(self.new, v.new_type)
                v.new_initial = self.worlds.convert(v.old_type, v.new_type,
                                                    copy.deepcopy(v.initial), begins)
            else:
                v.new_initial = self.initial(v.new_type, self.new)

    def is_constant(self, v: Variable, value) -> bool:
        """Could the linker store this value?"""
        for path, _, _, x in self.leaves(v.old_type, value):
            if isinstance(x, Freed):
                return False
            if isinstance(x, Ref) and (x.target in self.blocks or
                                       self.variables[x.target].scope not in ("global", "static")):
                return False
            if isinstance(x, Ref) and not self.survives(v.name, path):
                return False
        return True

    def initial(self, type_, world: World):
        """Any constant of a type of the new version."""
        rng = self.rng
        if isinstance(type_, Array):
            return [self.initial(type_.of, world) for _ in range(type_.count)]
        if isinstance(type_, Pointer):
            return Text(rng.choice(TEXTS), 0) if type_.to == CHAR else NULL
        if isinstance(type_, FunctionPointer):
            return Call(rng.choice(self.functions))
        if isinstance(type_, Float):
            return rng.randint(-99, 99) / 4
        if isinstance(type_, Int):
            return rng.randint(*type_.range())
        definition = world[type_.tag]
        if type_.keyword == "enum":
            return rng.choice(list(definition.constants.values()))
        if type_.keyword == "union":
            m = definition.members[0]
            return Live(m.name, self.initial(m.type, world))
        return {m.name: rng.randint(*m.type.range(m.bits)) if m.bits
                else self.initial(m.type, world) for m in definition.members}

    # ---- what must be refused ----

    def choose(self) -> None:
        """Values that do not fit the new version."""
        rng = self.rng
        for name, path, leaf, bits, _ in list(self.all_leaves()):
            if isinstance(leaf, FunctionPointer):
                if rng.random() < 0.3 and self.survives(name, path) and \
                        self.beyond(name, path) is None:
                    self.choices.append(Choice(name, path, Call(self.gone_function), True,
                                               "points to function "))
                continue
            if isinstance(leaf, Pointer) or self.is_union_path(name, path):
                continue
            choice = self.misfit(name, path, leaf, bits)
            if choice and rng.random() < 0.5:
                self.choices.append(choice)
        rng.shuffle(self.choices)
        self.choices = [c for c in self.choices if self.can_come_about(c)]

    def can_come_about(self, c: Choice) -> bool:
        if (c.target, c.path) in self.leads.values():
            return False
        v = self.variables.get(c.target)
        if not c.certain and v and v.initial is not None and v.initial == v.value:
            return False  # the rest of the variable would be carried over, too
        return c.datum is not None or self.survives(c.target, c.path)

    def misfit(self, name: str, path: tuple, leaf, bits: int) -> Choice | None:
        beyond = self.beyond(name, path)
        if beyond is not None:
            value = 1.5 if isinstance(leaf, Float) else self.number(leaf, leaf, bits, bits)
            if isinstance(leaf, Named) and not value:
                return None
            return Choice(name, path, value or 1, True, "and what follows hold data", beyond)
        new, new_bits = self.new_part(name, path)
        if new is None:
            return None
        if isinstance(leaf, Float):
            values = [2.5, 2.0 ** 100, *([0.1] if leaf.name == "double" else [])]
        elif isinstance(leaf, Named):
            values = list(self.old[leaf.tag].constants.values())
        else:
            low, high = leaf.range(bits)
            values = [low, high, self.rng.randint(low, high)]
        for value in values:
            try:
                self.worlds.convert(leaf, new, value, 0, bits, new_bits)
            except Refused as reason:
                if isinstance(leaf, Float) or isinstance(new, Float):
                    return Choice(name, path, value, True, "which (does not fit|.* cannot be)")
                says = "which does not fit" if "fit" in str(reason) else "an enumerator that"
                return Choice(name, path, value, True, f"is {value}, {says}")
        return None
