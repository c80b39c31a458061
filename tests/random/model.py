"""What a case consists of, and questions about its objects and their parts.

A part is named by its object's name and a path of indices and members, as the old version has
them."""

from __future__ import annotations

from dataclasses import dataclass

from shape import Array, is_record, is_marked, step
from value import Block, Live, Variable, Worlds


@dataclass
class Choice:
    """A value that one run stores somewhere: the update must be refused for it, or may be."""
    target: str
    path: tuple
    value: object
    certain: bool  # else it may also be carried over, rightly
    says: str  # what the violation must say, a regular expression
    datum: tuple | None = None  # the path that it names, if not the one above

    def where(self) -> tuple:
        return self.path if self.datum is None else self.datum


class Model:
    def __init__(self, worlds: Worlds):
        self.worlds = worlds
        self.variables: dict[str, Variable] = {}
        self.blocks: dict[str, Block] = {}
        self.functions: list[str] = []
        self.gone_function = ""
        self.freed: list[str] = []
        self.leads: dict[str, tuple[str, tuple]] = {}  # block -> a place that points to it
        self.choices: list[Choice] = []

    def object(self, name: str) -> Variable | Block:
        return self.variables.get(name) or self.blocks[name]

    def objects(self):
        """Name, type and value of everything that the old version has and that has a type."""
        for v in self.variables.values():
            if v.old_type is not None:
                yield v.name, v.old_type, v.value
        for b in self.blocks.values():
            if b.how != "untyped":
                yield b.name, b.old_root(), b.value

    # ---- one part ----

    def old_type(self, name: str, path: tuple):
        type_ = self.object(name).old_root()
        for at in path:
            type_ = step(self.worlds.old, type_, at)
        return type_

    def follow(self, name: str, path: tuple, with_ends: bool = False):
        """Path, type and bit-field's width of a part in the new version; None if it has none."""
        o = self.object(name)
        if o.new_root() is None or o.is_own:
            return None
        return self.worlds.follow(o.old_root(), o.new_root(), path, with_ends)

    def beyond(self, name: str, path: tuple) -> tuple | None:
        """The path of the first element that the new version has no room for, when a part lies in
        it or in what follows."""
        for i, at in enumerate(path):
            found = self.follow(name, path[:i])
            if found and isinstance(found[1], Array) and found[1].count and at >= found[1].count:
                return (*path[:i], found[1].count)
        return None

    def is_in_union(self, name: str, path: tuple) -> bool:
        """Does a part lie in a union of which nothing says what is live?"""
        holder = self.object(name).old_root()
        for at in path:
            member = self.worlds.old[holder.tag].member(at) if is_record(holder) else None
            holder = step(self.worlds.old, holder, at)
            if is_record(holder) and holder.keyword == "union" and not (member and member.by):
                return True
        return False

    def get(self, name: str, path: tuple):
        value = self.object(name).value
        for at in path:
            value = value.value if isinstance(value, Live) else value[at]
        return value

    def set(self, name: str, path: tuple, new) -> None:
        if not path:
            self.object(name).value = new
            return
        holder = self.get(name, path[:-1])
        if isinstance(holder, Live):
            holder.value = new
        else:
            holder[path[-1]] = new

    # ---- all parts ----

    def leaves(self, type_, value, path=(), member=None):
        """The scalars of a value: path, type, the member that it is (or an element of), value."""
        if isinstance(value, list):
            for i, v in enumerate(value):
                yield from self.leaves(type_.of, v, (*path, i), member)
        elif isinstance(value, dict):
            for m in self.worlds.old[type_.tag].members:
                yield from self.leaves(m.type, value[m.name], (*path, m.name), m)
        elif isinstance(value, Live):
            if value.member:
                m = self.worlds.old[type_.tag].member(value.member)
                yield from self.leaves(m.type, value.value, (*path, m.name), m)
        else:
            yield path, type_, member, value

    def all_leaves(self):
        for name, type_, value in self.objects():
            for path, leaf, member, v in self.leaves(type_, value):
                yield name, path, leaf, member, v

    def parts(self, type_, value, path=()):
        """Every object inside of one that has an address and is not annotated, itself first: path
        and type."""
        if is_marked(type_):
            return
        yield path, type_
        if isinstance(value, list):
            for i, v in enumerate(value):
                yield from self.parts(type_.of, v, (*path, i))
        elif isinstance(value, dict):
            for m in self.worlds.old[type_.tag].members:
                if not m.bits and not m.is_own:
                    yield from self.parts(m.type, value[m.name], (*path, m.name))

    def ends(self, type_, value, path=()):
        """The end of every array inside of an object: path and the element's type."""
        for at, part in self.parts(type_, value, path):
            if isinstance(part, Array):
                inner = value
                for i in at:
                    inner = inner[i]
                yield (*at, len(inner)), part.of
