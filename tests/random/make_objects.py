"""Makes a case's variables and blocks, and what variables begin with."""

from __future__ import annotations

import copy
from random import Random

from change import Changer
from make_types import TypeMaker
from make_values import ValueMaker
from model import Model
from shape import INTS, Array, Enum, Named, Pointer, declare, is_marked, may_point
from value import NULL, Block, Freed, Ref, Variable, bare, zero


class ObjectMaker:
    def __init__(self, rng: Random, names, model: Model, types: TypeMaker, values: ValueMaker,
                 private: bool):
        self.rng, self.names, self.private = rng, names, private
        self.model, self.types, self.values = model, types, values
        self.worlds = model.worlds

    def type(self):
        rng = self.rng
        type_ = Named("struct", rng.choice(self.types.tags)) if rng.random() < 0.5 \
            else self.types.object_scalar()
        return Array(type_, rng.randint(1, 5)) if rng.random() < 0.35 else type_

    def scope(self) -> str:
        return self.rng.choice(["static" if self.private else "global", "static", "function"])

    def variables(self) -> None:
        rng = self.rng
        changer = Changer(rng, self.types.old, self.names, self.types.frozen, self.private)
        for _ in range(rng.randint(3, 7)):
            type_ = self.type()
            v = Variable(self.names("g"), type_, type_, self.scope())
            if rng.random() < 0.3:
                v.new_type = changer.retype(type_)
            if rng.random() < 0.1:
                v.new_type = None
            elif rng.random() < 0.1 and not self.private:
                v.new_name = self.names("g")
            elif rng.random() < 0.06 and not is_marked(type_):
                v.is_own = True
            v.new_type = v.new_type and self.worlds.translate(v.new_type)
            v.value = self.values.object(v.old_type, None if v.is_own else v.new_type)
            self.model.variables[v.name] = v
        self.add_new()

    def add_new(self) -> None:
        """Variables that the new version adds, of types that none has that is gone."""
        rng = self.rng
        gone = {declare(self.worlds.translate(v.old_type)) for v in self.model.variables.values()
                if not v.new_type}
        for _ in range(rng.randrange(3)):
            type_ = Array(rng.choice([*INTS, Named("struct", rng.choice(self.types.tags))]),
                          rng.randint(11, 15))
            type_ = self.worlds.translate(type_)
            if declare(type_) not in gone:
                v = Variable(self.names("n"), None, type_, self.scope())
                self.model.variables[v.name] = v

    def blocks(self) -> None:
        rng = self.rng
        for _ in range(rng.randint(2, 6)):
            kind, tail = rng.random(), 0
            if kind < 0.15:
                element = rng.choice(INTS)
            elif kind < 0.35 and self.types.flexible:
                element, tail = Named("struct", self.types.flexible), rng.randint(1, 4)
            else:
                element = Named("struct", rng.choice(self.types.tags))
            count = 1 if tail else rng.choice([1, 1, 1, 2, 3, 5])
            how = "malloc" if tail else rng.choice(["malloc", "calloc", "calloc", "wrapper"])
            b = Block(self.names("b"), element, [], how, tail, self.worlds.translate(element))
            root = Array(element, count)
            b.value = self.values.object(root, Array(b.new_element, count), tail)
            self.model.blocks[b.name] = b

    def anchors(self) -> None:
        """Variables that show where two files have different types of one name, and that make
        compilers describe what only annotations mention."""
        enums = [t for t, d in self.types.old.items() if isinstance(d, Enum)]
        for tag in [*self.types.tags, self.types.flexible, *enums]:
            if tag:
                type_ = Pointer(Named("enum" if tag in enums else "struct", tag))
                name = self.names("k")
                self.model.variables[name] = Variable(
                    name, type_, self.worlds.translate(type_), "static", None, NULL)

    # ---- what variables begin with ----

    def initials(self) -> None:
        for v in self.model.variables.values():
            if v.old_type is None:
                if self.rng.random() < 0.5:
                    v.new_initial = self.initial(v)
            elif self.rng.random() < 0.5:
                self.initialise(v)

    def initial(self, v: Variable):
        return self.values.initial(v.new_type, self.worlds.new, self.model.functions)

    def initialise(self, v: Variable) -> None:
        rng = self.rng
        if self.is_constant(v) and rng.random() < 0.6:
            v.initial = copy.deepcopy(v.value)  # and the program does not change it
        elif not may_point(self.worlds.old, v.old_type):
            v.initial = self.values.object(v.old_type, None if v.is_own else v.new_type)
            if bare(v.initial) == bare(v.value):
                v.initial = copy.deepcopy(v.value)
        if v.new_type is None or v.initial is None or rng.random() < 0.2:
            return
        if rng.random() < 0.5 and not v.is_own:
            v.new_initial = self.worlds.convert(v.old_type, v.new_type, v.initial,
                                                zero(self.worlds.new, v.new_type))
        else:
            v.new_initial = self.initial(v)

    def is_constant(self, v: Variable) -> bool:
        """Could the linker store the value?"""
        for path, _, _, x in self.model.leaves(v.old_type, v.value):
            if isinstance(x, Freed):
                return False
            if isinstance(x, Ref) and (x.tag or x.target in self.model.blocks or
                                       self.model.variables[x.target].scope == "function" or
                                       not self.model.follow(v.name, path)):
                return False
        return True
