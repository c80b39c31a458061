"""Writes a case's two versions in C.

Both check every value that they should hold, through expressions that the compiler lays out: the
old version what it built, the new one what the oracle says."""

from __future__ import annotations

from case import Case, Choice
from shape import (BOOL, Array, Enum, Float, FunctionPointer, Int, Named, Pointer, World, declare)
from value import Block, Call, Freed, Live, Odd, Ref, Text, Variable, is_zero, zero


def integer(value: int) -> str:
    if value < 0:
        return f"(-{-value - 1}ll - 1)"
    return f"{value}ull" if value >= 1 << 63 else f"{value}ll"


def steps(path: tuple) -> str:
    return "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in path)


class Source:
    """One version of one case."""

    def __init__(self, case: Case, new: bool, first_choice: int):
        self.case, self.new, self.lines = case, new, []
        self.world: World = case.new if new else case.old
        self.numbers = {id(c): first_choice + i for i, c in enumerate(case.choices)}
        self.alloc_lines: dict[str, int] = {}  # block -> line of its allocation, in this list

    def put(self, line: str = "") -> None:
        self.lines.append(line)

    def write(self) -> list[str]:
        case = self.case
        self.types()
        for f in [*case.functions, *([] if self.new else [case.gone_function])]:
            self.put(f"{'static ' if f in case.static_functions else ''}"
                     f"void {f}(void) {{ random_called({self.numbers_of(f)}); }}")
        self.put(f"static void *{case.prefix}_wrapper(size_t bytes) {{ "
                 "void *p = malloc(bytes); if (!p) abort(); return p; }")
        self.variables()
        if self.new:
            self.again()
        else:
            self.build()
        self.verify()
        return self.lines

    def numbers_of(self, function: str) -> str:
        return function.rsplit("f", 1)[1]

    # ---- declarations ----

    def types(self) -> None:
        for tag, d in self.world.items():
            if not isinstance(d, Enum):
                self.put(f"{self.keyword(tag)} {tag};")
        for tag in self.ordered():
            d = self.world[tag]
            if isinstance(d, Enum):
                constants = ", ".join(f"{k} = {v}" for k, v in d.constants.items())
                self.put(f"enum {tag} {{ {constants} }};")
                continue
            self.put(f"{self.keyword(tag)} {tag} {{")
            for m in d.members:
                self.put(f"  {declare(m.type, m.name)}{f' : {m.bits}' if m.bits else ''};")
            self.put("};")

    def keyword(self, tag: str) -> str:
        return "union" if tag.startswith(f"{self.case.prefix}_w") else "struct"

    def ordered(self) -> list[str]:
        done: list[str] = []

        def visit(type_):
            while isinstance(type_, Array):
                type_ = type_.of
            if not isinstance(type_, Named) or type_.tag in done:
                return
            if type_.keyword != "enum":
                for m in self.world[type_.tag].members:
                    visit(m.type)
            done.append(type_.tag)

        for tag, d in self.world.items():
            visit(Named("enum" if isinstance(d, Enum) else self.keyword(tag), tag))
        return done

    def type_of(self, v: Variable):
        return v.new_type if self.new else v.old_type

    def variables(self) -> None:
        case = self.case
        own = [v for v in case.variables.values() if self.type_of(v) is not None]
        if self.new:
            case.rng.shuffle(own)
        for v in own:
            if v.scope != "function":
                self.put(f"{'static' if v.scope == 'static' else 'extern'} "
                         f"{declare(self.type_of(v), v.name)};")
        for v in own:
            initial = v.new_initial if self.new else v.initial
            text = f" = {self.constant(self.type_of(v), initial)}" if initial is not None else ""
            if v.scope == "function":
                static = "static " if case.private else ""
                self.put(f"{static}{declare(self.type_of(v), f'(*{v.name}_at(void))')} {{ static "
                         f"{declare(self.type_of(v), 'kept')}{text}; return &kept; }}")
            else:
                self.put(f"{'static ' if v.scope == 'static' else ''}"
                         f"{declare(self.type_of(v), v.name)}{text};")

    def constant(self, type_, value) -> str:
        if isinstance(value, list):
            return "{ " + ", ".join(self.constant(type_.of, v) for v in value) + " }"
        if isinstance(value, dict):
            return "{ " + ", ".join(f".{m.name} = {self.constant(m.type, value[m.name])}"
                                    for m in self.world[type_.tag].members) + " }"
        if isinstance(value, Live):
            m = self.world[type_.tag].member(value.member)
            return f"{{ .{m.name} = {self.constant(m.type, value.value)} }}"
        return self.scalar(value)

    def scalar(self, value) -> str:
        if isinstance(value, Ref):
            return f"(void *)&{self.place(value.target, value.path)}"
        if isinstance(value, Text):
            return f"(void *)(\"{value.text}\" + {value.offset})"
        if isinstance(value, Call):
            return f"(void *){value.function}"
        if isinstance(value, Odd):
            return f"(void *){value.number}l"
        if isinstance(value, Freed):
            return value.block
        return value.hex() if isinstance(value, float) else integer(value)

    # ---- objects ----

    def place(self, name: str, path: tuple) -> str:
        v = self.case.variables.get(name)
        if v and v.scope == "function":
            return f"(*{name}_at()){steps(path)}"
        if not v and self.case.blocks[name].how == "untyped":
            name = f"((void **){name})"
        return name + steps(path)

    def value_of(self, o):
        """Type and value of an object in this version."""
        if isinstance(o, Block):
            if self.new:
                return Array(o.new_element, 0), self.case.worlds.block(o)
            return Array(o.element, 0), o.values
        return self.type_of(o), self.case.worlds.variable(o) if self.new else o.value

    def leaves(self, type_, value, path=()):
        if isinstance(value, list):
            for i, v in enumerate(value):
                yield from self.leaves(type_.of, v, (*path, i))
        elif isinstance(value, dict):
            for m in self.world[type_.tag].members:
                yield from self.leaves(m.type, value[m.name], (*path, m.name))
        elif isinstance(value, Live):
            m = self.world[type_.tag].member(value.member)
            yield from self.leaves(m.type, value.value, (*path, m.name))
        else:
            yield path, type_, value

    def allocate(self, b: Block) -> str:
        size = f"sizeof *{b.name}" if len(b.values) == 1 else f"{len(b.values)} * sizeof *{b.name}"
        pointer = declare(Pointer(b.new_element if self.new else b.element), b.name)
        if b.how == "untyped":
            return f"void *{b.name} = malloc({len(b.values)} * 8);"
        if b.tail:
            tail = self.world[b.element.tag].members[-1].name
            size += f" + {b.tail} * sizeof {b.name}->{tail}[0]"
        if b.how == "calloc":
            return f"{pointer} = calloc({len(b.values)}, sizeof *{b.name});"
        call = "malloc" if b.how == "malloc" else f"{self.case.prefix}_wrapper"
        return f"{pointer} = {call}({size});"

    def function(self, name: str) -> None:
        static = "static " if self.case.private else ""
        self.put(f"{static}void {self.case.prefix}_{name}(void) {{")

    def build(self) -> None:
        case = self.case
        own = [*case.blocks, *case.freed]
        declared = [declare(Pointer(b.element), b.name) for b in case.blocks.values()]
        declared += [f"void *{name}" for name in case.freed]
        self.put(f"PLAIN static void {case.prefix}_fill({', '.join(declared)}) {{")
        for o in [*case.variables.values(), *case.blocks.values()]:
            if isinstance(o, Variable) and (o.old_type is None or o.is_const):
                continue
            initial = isinstance(o, Variable) and o.initial is not None
            if initial and o.initial == o.value:
                continue
            type_, value = self.value_of(o)
            for path, _, v in self.leaves(type_, value):
                zeroed = o.how == "calloc" if isinstance(o, Block) else not initial
                if not zeroed or not is_zero(v):
                    self.put(f"  {self.place(o.name, path)} = {self.scalar(v)};")
        for c in case.choices:
            self.put(f"  if (random_choice({self.numbers[id(c)]})) "
                     f"{self.place(c.target, c.path)} = {self.scalar(c.value)};")
        self.put("}")
        self.function("build")
        for b in case.blocks.values():
            self.put(f"  {self.allocate(b)}")
            self.alloc_lines[b.name] = len(self.lines)
        for name in case.freed:
            self.put(f"  void *{name} = malloc(40);")
            self.put(f"  random_free_later({name});")
        self.put(f"  {case.prefix}_fill({', '.join(own)});")
        self.put("}")

    def again(self) -> None:
        """The new version allocates, too."""
        self.put(f"void again_{self.case.seed}(void) {{")
        for b in self.case.blocks.values():
            self.put(f"  {self.allocate(b)}")
            self.put(f"  random_free_later({b.name});")
        for f in self.case.functions:  # the compiler keeps them
            self.put(f"  random_free_later({f});")
        self.put("}")

    # ---- checks ----

    def verify(self) -> None:
        case = self.case
        self.put("PLAIN")
        self.function("verify")
        for name, (holder, path) in case.leads.items():
            b = case.blocks[name]
            element = b.new_element if self.new else b.element
            inner = case.get(holder, path).path
            pointer = declare(Pointer(element))
            self.put(f"  {declare(Pointer(element), name)} = ({pointer})((char *)"
                     f"{self.place(holder, path)} - (size_t)&(({pointer})0){steps(inner)});")
        chosen: dict[tuple, list[Choice]] = {}
        for c in case.choices:
            if not self.new or not c.certain:
                chosen.setdefault((c.target, c.path), []).append(c)
        for o in [*case.variables.values(), *case.blocks.values()]:
            if isinstance(o, Variable) and self.type_of(o) is None:
                continue
            type_, value = self.value_of(o)
            for path, leaf, v in self.leaves(type_, value):
                place, line = self.place(o.name, path), ""
                for c in chosen.get((o.name, path), []):
                    line += f"if (random_choice({self.numbers[id(c)]})) {self.check(place, c.value)} else "
                self.put(f"  {line}{self.check(place, v)}")
        self.put("}")

    def check(self, place: str, value) -> str:
        if isinstance(value, Freed):
            return f"TRAPS({place});" if self.new else ";"
        if isinstance(value, Text):
            return f"TEXT({place}, \"{value.text[:]}\");"
        if isinstance(value, (Ref, Call, Odd)):
            return f"POINTER({place}, {self.scalar(value)});"
        if isinstance(value, float):
            return f"REAL({place}, {self.scalar(value)});"
        return f"NUMBER({place}, {self.scalar(value)});"


def datum(case: Case, c: Choice) -> str:
    """How a violation names the datum: a regular expression."""
    import re
    path = c.datum if c.datum is not None else c.path
    v = case.variables.get(c.target)
    if v:
        name = f"kept in {c.target}_at" if v.scope == "function" else c.target
        return "`" + re.escape(name + steps(path)) + "`"
    block = case.blocks[c.target]
    inner = path if len(block.values) > 1 or block.how == "untyped" else path[1:]
    text = steps(inner)
    return ".*" + re.escape(text[1:] if text.startswith(".") else text) + r"` \((`.*; )?allocated at "
