"""Gives a case's pointers their targets."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from make_values import TEXTS
from model import Choice, Model
from shape import (CHAR, Array, Enum, FunctionPointer, Int, Named, Opaque, Pointer, declare,
                   innermost, is_enum, is_marked, is_record, same, width)
from value import NULL, Block, Call, Freed, Odd, Ref, Text, Variable


class PointerMaker:
    def __init__(self, rng: Random, names, model: Model, drops_data: bool):
        self.rng, self.names, self.model, self.drops_data = rng, names, model, drops_data
        self.worlds = model.worlds

    # ---- where pointers may point ----

    def is_first(self, name: str, path: tuple, i: int) -> bool:
        """Does path[:i + 1] begin where path[:i] begins?"""
        if isinstance(path[i], int):
            return path[i] == 0
        holder = self.model.old_type(name, path[:i])
        return self.worlds.old[holder.tag].members[0].name == path[i]

    def doubtful(self, name: str, path: tuple) -> bool:
        """Might an array of the same type end where this part begins?"""
        model = self.model
        is_block = name in model.blocks
        key = declare(model.old_type(name, path))
        for i in range(len(path) - 1, -1, -1):
            if i == 0 and is_block:
                return path[0] > 0 and self.ends_in(model.blocks[name].element, key)
            if not self.is_first(name, path, i):
                if isinstance(path[i], int):
                    return self.ends_in(model.old_type(name, path[:i + 1]), key)
                members = self.worlds.old[model.old_type(name, path[:i]).tag].members
                before = members[[m.name for m in members].index(path[i]) - 1]
                return self.ends_in(before.type, key)
        # The variable before it may belong to any case of the program.
        type_ = model.old_type(name, path)
        return not isinstance(type_, Named) or any(
            v.old_type is not None and self.ends_in(v.old_type, key)
            for v in model.variables.values())

    def ends_in(self, type_, key: str) -> bool:
        """Does an object of a type end in an array of `key`?"""
        if isinstance(type_, Array):
            return declare(type_.of) == key or self.ends_in(type_.of, key)
        if is_record(type_):
            return any(self.ends_in(m.type, key) for m in self.worlds.old[type_.tag].members)
        return False

    def targets(self):
        """By the type there: certain and doubtful targets, and those that the new version lacks."""
        certain, doubtful, gone, starts = {}, {}, {}, []
        for name, type_, value in self.model.objects():
            if self.model.object(name).is_own:
                continue
            for path, part in self.model.parts(type_, value):
                if name in self.model.blocks and not path or \
                        isinstance(part, Array) and not part.count:
                    continue
                key = declare(part)
                doubt = self.doubtful(name, path)
                found = self.model.follow(name, path)
                if not found or found[2] or not self.fits(part, found[1]):
                    if not doubt:
                        gone.setdefault(key, []).append(Ref(name, path))
                    continue
                is_start = not path or not self.is_first(name, path, len(path) - 1) or \
                    path == (0,) and name in self.model.blocks
                if is_start and self.is_together(name, path, part):
                    starts.append(Ref(name, path))
                if declare(found[1]) != declare(self.worlds.translate(part)):
                    continue
                (doubtful if doubt else certain).setdefault(key, []).append(Ref(name, path))
            for path, element in self.model.ends(type_, value):
                is_block_end = name in self.model.blocks and len(path) == 1
                array = self.model.follow(name, path[:-1])
                if self.model.follow(name, path, with_ends=True) and not is_marked(element) and \
                        array[1].of == self.worlds.translate(element):
                    where = certain if is_block_end else doubtful
                    where.setdefault(declare(element), []).append(Ref(name, path))
        certain["void"] = starts
        return certain, doubtful, gone

    def is_together(self, name: str, path: tuple, part) -> bool:
        """Does a part still begin with what it began with, so that a pointer without a type means
        one place?"""
        now = self.model.follow(name, path)[0]
        while is_record(part) or isinstance(part, Array):
            member = None if isinstance(part, Array) else self.worlds.old[part.tag].members[0]
            path = (*path, member.name if member else 0)
            part = member.type if member else part.of
            found = self.model.follow(name, path)
            if found and found[0][:len(now)] != now:
                return False
        return True

    def fits(self, old, new) -> bool:
        """May a pointer to `old` be used for a `new`? Its own type stays."""
        if isinstance(old, Array) and isinstance(new, Array):
            return self.fits(old.of, new.of)
        sizes = [(t.bits + 7) // 8 if isinstance(t, Int) else 4 for t in (old, new)]
        if all(isinstance(t, Int) or is_enum(t) for t in (old, new)):
            return sizes[0] == sizes[1]
        return declare(self.worlds.translate(old)) == declare(new)

    # ---- values ----

    def fill(self) -> None:
        rng, model = self.rng, self.model
        certain, doubtful, gone = self.targets()
        for name, path, leaf, member, _ in list(model.all_leaves()):
            if model.beyond(name, path) is not None:
                continue
            if isinstance(leaf, FunctionPointer):
                model.set(name, path, rng.choice([NULL, *(Call(f) for f in model.functions)]))
            if not isinstance(leaf, Pointer):
                continue
            is_in_union = model.is_in_union(name, path)
            model.set(name, path, self.pointer(leaf, is_in_union, certain))
            key = declare(leaf.to) if leaf.to else "void"
            if is_in_union or leaf.mask:
                continue
            if doubtful.get(key) and rng.random() < 0.15:
                model.choices.append(Choice(name, path, rng.choice(doubtful[key]), False,
                                            "points to "))
            if gone.get(key) and rng.random() < 0.2:
                model.choices.append(Choice(name, path, rng.choice(gone[key]), True, "points to "))

    def pointer(self, leaf: Pointer, is_in_union: bool, certain: dict):
        rng = self.rng
        kind = rng.random()
        if kind < 0.1:
            return NULL
        refs = certain.get(declare(leaf.to) if leaf.to else "void", [])
        if is_in_union:
            refs = [r for r in refs if r.target in self.model.blocks and
                    self.stays(self.model.blocks[r.target])]
            return rng.choice(refs) if refs else NULL
        if leaf.mask:
            return self.tagged(leaf.mask, refs)
        if kind < 0.14:
            return Odd(rng.choice([1, 5, 4095, -1]))
        if kind < 0.17 and self.drops_data:
            freed = self.names("d")
            self.model.freed.append(freed)
            return Freed(freed)
        if leaf.to == CHAR and kind < 0.7:
            return Text(rng.choice(TEXTS) + (f" {self.names('x')}" if rng.random() < 0.3 else ""))
        return rng.choice(refs) if refs else NULL

    def tagged(self, mask: int, refs: list[Ref]):
        """A pointer whose bits of the mask are anything."""
        tag = self.rng.choice([0, mask, self.rng.getrandbits(64) & mask])
        refs = [r for r in refs if not mask & 15 or
                r.target in self.model.blocks and r.path == (0,)]
        return replace(self.rng.choice(refs), tag=tag) if refs else Odd(tag)

    def stays(self, b: Block) -> bool:
        return same(self.worlds.old, self.worlds.new, self.worlds.tags, b.element, b.new_element)

    # ---- roots ----

    def root_blocks(self) -> None:
        """Finds for each block what leads to it, and gives it a variable where nothing does."""
        work = [v.name for v in self.model.variables.values() if v.old_type is not None]
        names = list(self.model.blocks)
        while work or names:
            if work:
                name = work.pop(0)
                for target, path in self.refs(name):
                    if target not in self.model.leads:
                        self.model.leads[target] = (name, path)
                        work.append(target)
                continue
            b = self.model.blocks[names.pop(0)]
            if b.name not in self.model.leads:
                self.add_root(b, Pointer(b.element))
                work.append(b.name)

    def add_root(self, b: Block, type_) -> None:
        v = Variable(self.names("r"), type_, self.worlds.translate(type_), "static", None,
                     Ref(b.name, (0,)))
        self.model.variables[v.name] = v
        self.model.leads[b.name] = (v.name, ())

    def refs(self, name: str):
        """Blocks that an object points to, from where the new version still has it."""
        o = self.model.object(name)
        for path, leaf, _, v in self.model.leaves(o.old_root(), o.value):
            if isinstance(v, Ref) and v.target in self.model.blocks and not leaf.mask and \
                    self.model.follow(name, path):
                yield v.target, path

    # ---- memory without types ----

    def add_untyped(self) -> None:
        """A block without a type: it pins what it points to."""
        rng, model = self.rng, self.model
        blocks = list(model.blocks.values())
        stay = [b for b in blocks if self.stays(b)]
        kept = [v for v in model.variables.values()
                if v.old_type is not None and v.new_type and not v.is_own]
        words = []
        for _ in range(rng.randint(1, 4)):
            choices = [Odd(rng.randrange(1, 60000)), Call(rng.choice(model.functions))]
            choices += [Ref(b.name, (0,)) for b in stay] + [Ref(v.name) for v in kept]
            words.append(rng.choice(choices))
        b = Block(self.names("b"), Pointer(None), words, "untyped", 0, Pointer(None))
        model.blocks[b.name] = b
        self.add_root(b, Pointer(None))
        moving = [x for x in blocks if x not in stay and not self.only_grows(x.element)]
        if moving:
            model.choices.append(Choice(b.name, (0,), Ref(rng.choice(moving).name, (0,)), True,
                                        "holds the address of "))

    def only_grows(self, type_) -> bool:
        """May the differences be such as need no other layout: new enumerators and names, another
        name of the same number, an address in a pointer instead of an integer, another member of a
        union? Where numbers of one width may be the same, they count as such."""
        def is_same(a, b) -> bool:
            if isinstance(a, Array) and isinstance(b, Array):
                return a.count == b.count and is_same(a.of, b.of)
            return a == b or width(a) is not None and width(a) == width(b)

        def is_number(a, b) -> bool:
            return is_enum(innermost(a)) and not is_enum(innermost(b))

        def widened(t) -> bool:
            if isinstance(t, Array):
                return widened(t.of)
            if isinstance(t, Opaque) or not isinstance(t, Named):
                return True
            if t.keyword == "union":
                return True
            old = self.worlds.old[t.tag]
            new = self.worlds.new[self.worlds.tags.get(t.tag, t.tag)]
            if isinstance(old, Enum):
                return all(new.constants.get(new.renamed.get(k, k)) == v
                           for k, v in old.constants.items())
            return len(old.members) == len(new.members) and all(
                new.homes.get((m.name,), (m.name,)) == (n.name,) and m.bits == n.bits and
                (isinstance(innermost(n.type), Opaque) or n.is_own or
                 is_same(self.worlds.translate(m.type), n.type) and
                 (is_number(m.type, n.type) or widened(m.type)))
                for m, n in zip(old.members, new.members))
        return widened(type_)
