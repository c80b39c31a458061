"""One random pair: the types, objects and values of two versions, and what may go wrong."""

from __future__ import annotations

from random import Random

from change import Changer
from make_objects import ObjectMaker
from make_pointers import PointerMaker
from make_types import TypeMaker
from make_values import ValueMaker
from model import Model
from refusals import Refuser
from value import Worlds


class Case:
    def __init__(self, seed: int, prefix: str, private: bool = False):
        """@param private  nothing of it has a name outside of its file, where another case may
        have the same names for other things"""
        self.seed, self.prefix, self.private, self.counter = seed, prefix, private, 0
        self.rng = rng = Random(seed)
        drops_data = rng.random() < 0.3
        types = TypeMaker(rng, self.name)
        changer = Changer(rng, types.old, self.name, types.frozen, private)
        new = changer.types()
        self.worlds = Worlds(types.old, new, changer.tags)
        self.model = model = Model(self.worlds)
        model.functions = [self.name("f") for _ in range(3)]
        model.gone_function = self.name("f")
        self.static_functions = {f for f in [*model.functions, model.gone_function]
                                 if private or rng.random() < 0.5}
        values = ValueMaker(rng, self.worlds, drops_data)
        objects = ObjectMaker(rng, self.name, model, types, values, private)
        objects.variables()
        objects.blocks()
        pointers = PointerMaker(rng, self.name, model, drops_data)
        pointers.fill()
        pointers.root_blocks()
        if rng.random() < 0.4:
            pointers.add_untyped()
        objects.anchors()
        objects.initials()
        Refuser(rng, model, values).choose()

    def name(self, kind: str) -> str:
        self.counter += 1
        return f"{self.prefix}_{kind}{self.counter}"
