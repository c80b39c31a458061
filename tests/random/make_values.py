"""Makes values that both versions hold. Pointers come later."""

from __future__ import annotations

from random import Random

from shape import (CHAR, Array, Float, FunctionPointer, Int, Named, Opaque, Pointer, World, is_enum)
from value import NULL, Call, Live, Text, Worlds, zero

TEXTS = ["", "a", "state", "update me", "tab\\there", "%d of %s", "0123456789abcdef"]


class ValueMaker:
    def __init__(self, rng: Random, worlds: Worlds, drops_data: bool):
        """@param drops_data  what the new version lacks holds something"""
        self.rng, self.worlds, self.drops_data = rng, worlds, drops_data

    # ---- numbers ----

    def shared_names(self, old: Named, new) -> list[str]:
        """The enumerators of an old type that a new one has, too."""
        names = list(self.worlds.old[old.tag].constants)
        if not is_enum(new):
            return names
        after = self.worlds.new[new.tag]
        return [n for n in names if after.renamed.get(n, n) in after.constants]

    def number(self, old, new, old_bits: int = 0, new_bits: int = 0) -> int:
        """One that both types hold."""
        rng = self.rng
        if is_enum(old):
            constants = self.worlds.old[old.tag].constants
            values = [constants[n] for n in self.shared_names(old, new)]
            if isinstance(new, Int):
                values = [v for v in values if new.holds(v, new_bits)]
            return rng.choice(values) if values else 0
        low, high = old.range(old_bits)
        if isinstance(new, Int):
            other = new.range(new_bits)
            low, high = max(low, other[0]), min(high, other[1])
        elif is_enum(new):
            constants = self.worlds.new[new.tag].constants
            values = [v for v in constants.values() if low <= v <= high]
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

    def real(self, new, new_bits: int) -> float:
        rng = self.rng
        if isinstance(new, Int):
            low, high = new.range(new_bits)
            return float(rng.randint(max(low, -1000), min(high, 1000)))
        return rng.choice([0.0, 1.5, -2.25, 1e10, rng.randint(-999, 999) / 8])

    # ---- values of the old version ----

    def object(self, old, new, tail: int = 0):
        """A value of an object; `new` is None when the new version does not have it."""
        return self.part(old, new, old, 0, (), tail)

    def part(self, root, new_root, type_, bits: int, path: tuple, tail: int):
        found = self.worlds.follow(root, new_root, path) if new_root is not None else None
        new, new_bits = found[1:] if found else (None, 0)
        if isinstance(type_, (Pointer, FunctionPointer)):
            return NULL
        if not found and not self.drops_data:
            return zero(self.worlds.old, type_, tail)
        if isinstance(type_, Opaque):
            if isinstance(type_.of, Float):
                return self.real(None, 0)
            return self.number(type_.of, None)
        if isinstance(type_, Float):
            return self.real(new, new_bits)
        if isinstance(type_, Array):
            count = type_.count or tail
            kept = min(count, (new.count or tail) if new else count)
            values = [self.part(root, new_root, type_.of, 0, (*path, i), tail)
                      for i in range(kept)]
            return values + [zero(self.worlds.old, type_.of) for _ in range(count - kept)]
        if isinstance(type_, Int) or is_enum(type_):
            return self.number(type_, new, bits, new_bits)
        return self.record(root, new_root, type_, path, tail)

    def record(self, root, new_root, type_: Named, path: tuple, tail: int):
        members = self.worlds.old[type_.tag].members
        if type_.keyword == "union":
            m = self.rng.choice(members)
            return Live(m.name, self.part(root, new_root, m.type, 0, (*path, m.name), tail))
        result = {m.name: self.part(root, new_root, m.type, m.bits, (*path, m.name), tail)
                  for m in members}
        for m in members:
            if m.by:
                self.tell(root, new_root, type_, m, path, result)
        return result

    def tell(self, root, new_root, type_: Named, m, path: tuple, value: dict) -> None:
        """Makes a member of an explained union live, and says so."""
        teller = self.worlds.old[type_.tag].member(m.by.field)
        found = self.worlds.follow(root, new_root, (*path, teller.name)) if new_root else None
        says = list(m.by.cases)
        if is_enum(teller.type):
            constants = self.worlds.old[teller.type.tag].constants
            names = self.shared_names(teller.type, found[1] if found else None)
            told = {key for key, _ in says}
            says = [(constants[key], member) for key, member in says if key in names]
            rest = [constants[n] for n in names if n not in told]
        else:
            rest = [n for n in (0, 61, 63) if all(n != key for key, _ in says)]
        if m.by.default is not False:
            says += [(n, m.by.default) for n in rest]
        value[teller.name], member = self.rng.choice(says)
        if not member:
            value[m.name] = Live(None, None)
            return
        u = self.worlds.old[m.type.tag].member(member)
        value[m.name] = Live(member, self.part(root, new_root, u.type, 0, (*path, m.name, member), 0))

    # ---- constants of the new version ----

    def initial(self, type_, world: World, functions: list[str]):
        """Any constant of a type."""
        rng = self.rng
        if isinstance(type_, Array):
            return [self.initial(type_.of, world, functions) for _ in range(type_.count)]
        if isinstance(type_, Pointer):
            return Text(rng.choice(TEXTS)) if type_.to == CHAR and not type_.is_word else NULL
        if isinstance(type_, FunctionPointer):
            return Call(rng.choice(functions))
        if isinstance(type_, Opaque):
            return self.initial(type_.of, world, functions)
        if isinstance(type_, Float):
            return rng.randint(-99, 99) / 4
        if isinstance(type_, Int):
            return rng.randint(*type_.range())
        definition = world[type_.tag]
        if type_.keyword == "enum":
            return rng.choice(list(definition.constants.values()))
        if type_.keyword == "union":
            m = definition.members[0]
            return Live(m.name, self.initial(m.type, world, functions))
        result = {m.name: rng.randint(*m.type.range(m.bits)) if m.bits
                  else self.initial(m.type, world, functions) for m in definition.members}
        for m in definition.members:
            if m.by:  # zero is a value of each member
                result[m.name] = Live(None, None)
                key = m.by.cases[0][0] if m.by.cases else 0
                teller = definition.member(m.by.field)
                result[teller.name] = world[teller.type.tag].constants[key] \
                    if isinstance(key, str) else key
        return result
