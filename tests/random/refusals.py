"""Values that the new version cannot take."""

from __future__ import annotations

from random import Random

from make_values import ValueMaker
from model import Choice, Model
from shape import Float, FunctionPointer, Opaque, Pointer, is_enum
from value import Call, Refused


class Refuser:
    def __init__(self, rng: Random, model: Model, values: ValueMaker):
        self.rng, self.model, self.values = rng, model, values
        self.worlds = model.worlds

    def choose(self) -> None:
        rng, model = self.rng, self.model
        for name, path, leaf, member, _ in list(model.all_leaves()):
            if isinstance(leaf, FunctionPointer):
                if rng.random() < 0.3 and model.follow(name, path):
                    model.choices.append(Choice(name, path, Call(model.gone_function), True,
                                                "points to function "))
            elif member and member.is_fixed:
                self.untold(name, path, member)
            elif not isinstance(leaf, (Pointer, Opaque)) and not model.is_in_union(name, path):
                bits = member.bits if member else 0
                choice = self.misfit(name, path, leaf, bits)
                if choice and rng.random() < 0.5:
                    model.choices.append(choice)
        rng.shuffle(model.choices)
        model.choices = [c for c in model.choices if self.can_come_about(c)]

    def can_come_about(self, c: Choice) -> bool:
        if (c.target, c.path) in self.model.leads.values():
            return False
        v = self.model.variables.get(c.target)
        if not c.certain and v and v.initial is not None and v.initial == v.value:
            return False  # the rest of the variable would be carried over, too
        return c.datum is not None or self.model.follow(c.target, c.path) is not None

    def untold(self, name: str, path: tuple, teller) -> None:
        """A discriminator for which the annotation has no case."""
        holder = self.model.old_type(name, path[:-1])
        union = next(m for m in self.worlds.old[holder.tag].members
                     if m.by and m.by.field == teller.name)
        if union.by.default is False and self.model.follow(name, (*path[:-1], union.name)):
            self.model.choices.append(
                Choice(name, path, 62, True, "has a discriminator of 62, for which",
                       (*path[:-1], union.name)))

    def misfit(self, name: str, path: tuple, leaf, bits: int) -> Choice | None:
        beyond = self.model.beyond(name, path)
        if beyond is not None:
            value = 1.5 if isinstance(leaf, Float) else self.values.number(leaf, None, bits)
            if is_enum(leaf) and not value:
                return None
            if not value:
                value = 1 if leaf.range(bits)[1] else -1
            return Choice(name, path, value, True, "and what follows hold data", beyond)
        found = self.model.follow(name, path)
        if not found:
            return None
        _, new, new_bits = found
        if isinstance(leaf, Float):
            values = [2.5, 2.0 ** 100, *([0.1] if leaf.name == "double" else [])]
        elif is_enum(leaf):
            values = list(self.worlds.old[leaf.tag].constants.values())
        else:
            low, high = leaf.range(bits)
            values = [low, high, self.rng.randint(low, high)]
        for value in values:
            try:
                self.worlds.convert(leaf, new, value, 0, new_bits)
            except Refused as reason:
                if isinstance(leaf, Float) or isinstance(new, Float):
                    return Choice(name, path, value, True, "which (does not fit|.* cannot be)")
                says = "which does not fit" if "fit" in str(reason) else "an enumerator that"
                return Choice(name, path, value, True, f"is {value}, {says}")
        return None
