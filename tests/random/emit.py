"""Writes a case's two versions in C.

Both check every value that they should hold, through expressions that the compiler lays out: the
old version what it built, the new one what the oracle says."""

from __future__ import annotations

from annotations import annotations
from case import Case
from model import Choice
from shape import COOKIE, Enum, Named, Opaque, Pointer, World, declare, innermost
from value import Block, Call, Freed, Live, Odd, Ref, Text, Variable, is_zero


def integer(value: int) -> str:
    if value < 0:
        return f"(-{-value - 1}ll - 1)"
    return f"{value}ull" if value >= 1 << 63 else f"{value}ll"


def steps(path: tuple) -> str:
    return "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in path)


class Source:
    """One version of one case."""

    def __init__(self, case: Case, new: bool, first_choice: int):
        self.case, self.model, self.new, self.lines = case, case.model, new, []
        self.world: World = case.worlds.new if new else case.worlds.old
        self.numbers = {id(c): first_choice + i for i, c in enumerate(case.model.choices)}
        self.alloc_lines: dict[str, int] = {}  # block -> line of its allocation, in this list

    def put(self, line: str = "") -> None:
        self.lines.append(line)

    def write(self) -> list[str]:
        self.types()
        self.functions()
        own = [v for v in self.model.variables.values() if self.type_of(v) is not None]
        if self.new:
            self.case.rng.shuffle(own)
        self.variables(own)
        self.lines += annotations(self.world, own, self.new)
        if self.new:
            self.again()
        else:
            self.build()
        self.verify()
        return self.lines

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
            type_ = innermost(type_)
            if isinstance(type_, Opaque):
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

    def functions(self) -> None:
        model = self.model
        for f in [*model.functions, *([] if self.new else [model.gone_function])]:
            number = f.rsplit("f", 1)[1]
            self.put(f"{'static ' if f in self.case.static_functions else ''}"
                     f"void {f}(void) {{ random_called({number}); }}")
        self.put(f"static void *{self.case.prefix}_wrapper(size_t bytes) {{ "
                 "void *p = malloc(bytes); if (!p) abort(); return p; }")

    def type_of(self, v: Variable):
        return v.new_type if self.new else v.old_type

    def name_of(self, v: Variable) -> str:
        return v.new_name if self.new and v.new_name and v.scope != "function" else v.name

    def variables(self, own: list[Variable]) -> None:
        for v in own:
            if v.scope != "function":
                self.put(f"{'static' if v.scope == 'static' else 'extern'} "
                         f"{declare(self.type_of(v), self.name_of(v))};")
        for v in own:
            initial = v.new_initial if self.new else v.initial
            text = f" = {self.constant(self.type_of(v), initial)}" if initial is not None else ""
            if v.scope == "function":
                static = "static " if self.case.private else ""
                self.put(f"{static}{declare(self.type_of(v), f'(*{v.name}_at(void))')} {{ static "
                         f"{declare(self.type_of(v), 'kept')}{text}; return &kept; }}")
            else:
                self.put(f"{'static ' if v.scope == 'static' else ''}"
                         f"{declare(self.type_of(v), self.name_of(v))}{text};")

    def constant(self, type_, value) -> str:
        if isinstance(value, list):
            return "{ " + ", ".join(self.constant(type_.of, v) for v in value) + " }"
        if isinstance(value, dict):
            return "{ " + ", ".join(f".{m.name} = {self.constant(m.type, value[m.name])}"
                                    for m in self.world[type_.tag].members) + " }"
        if isinstance(value, Live):
            if not value.member:
                return "{ 0 }"
            m = self.world[type_.tag].member(value.member)
            return f"{{ .{m.name} = {self.constant(m.type, value.value)} }}"
        return self.scalar(type_, value)

    def scalar(self, type_, value) -> str:
        is_word = isinstance(type_, Pointer) and type_.is_word
        cast = "(unsigned long)" if is_word else "(void *)"
        if isinstance(value, Ref):
            at = f"&{self.target(value)}"
            return f"{cast}((unsigned long){at} | {value.tag:#x})" if value.tag else cast + at
        if isinstance(value, Text):
            return f"{cast}(\"{value.text}\" + {value.offset})"
        if isinstance(value, Call):
            return cast + value.function
        if isinstance(value, Odd):
            return cast + (f"{value.number}l" if value.number < 1 << 63 else integer(value.number))
        if isinstance(value, Freed):
            return cast + value.block
        if isinstance(value, float):
            return value.hex()
        return cast + integer(value) if type_ == COOKIE else integer(value)

    # ---- objects ----

    def place(self, name: str, path: tuple) -> str:
        """@param path  as this version has it"""
        v = self.model.variables.get(name)
        if v and v.scope == "function":
            return f"(*{name}_at()){steps(path)}"
        if v:
            return self.name_of(v) + steps(path)
        if self.model.blocks[name].how == "untyped":
            name = f"((void **){name})"
        return name + steps(path)

    def here(self, name: str, path: tuple) -> tuple:
        """The path in this version of what the old one has at a path."""
        return self.model.follow(name, path, with_ends=True)[0] if self.new else path

    def target(self, ref: Ref) -> str:
        return self.place(ref.target, self.here(ref.target, ref.path))

    def value_of(self, o):
        """Type and value of an object in this version."""
        if not self.new:
            return o.old_root(), o.value
        worlds = self.case.worlds
        return o.new_root(), worlds.block(o) if isinstance(o, Block) else worlds.variable(o)

    def leaves(self, type_, value, path=()):
        if isinstance(value, list):
            for i, v in enumerate(value):
                yield from self.leaves(type_.of, v, (*path, i))
        elif isinstance(value, dict):
            for m in self.world[type_.tag].members:
                yield from self.leaves(m.type, value[m.name], (*path, m.name))
        elif isinstance(value, Live):
            if value.member:
                m = self.world[type_.tag].member(value.member)
                yield from self.leaves(m.type, value.value, (*path, m.name))
        else:
            yield path, type_, value

    def objects(self):
        yield from self.model.variables.values()
        yield from self.model.blocks.values()

    def allocate(self, b: Block) -> str:
        size = f"sizeof *{b.name}" if len(b.value) == 1 else f"{len(b.value)} * sizeof *{b.name}"
        pointer = declare(Pointer(b.new_element if self.new else b.element), b.name)
        if b.how == "untyped":
            return f"void *{b.name} = malloc({len(b.value)} * 8);"
        if b.tail:
            element = b.new_element if self.new else b.element
            tail = self.world[element.tag].members[-1].name
            size += f" + {b.tail} * sizeof {b.name}->{tail}[0]"
        if b.how == "calloc":
            return f"{pointer} = calloc({len(b.value)}, sizeof *{b.name});"
        call = "malloc" if b.how == "malloc" else f"{self.case.prefix}_wrapper"
        return f"{pointer} = {call}({size});"

    def function(self, name: str) -> None:
        static = "static " if self.case.private else ""
        self.put(f"{static}void {self.case.prefix}_{name}(void) {{")

    def build(self) -> None:
        model = self.model
        own = [*model.blocks, *model.freed]
        declared = [declare(Pointer(b.element), b.name) for b in model.blocks.values()]
        declared += [f"void *{name}" for name in model.freed]
        self.put(f"PLAIN static void {self.case.prefix}_fill({', '.join(declared)}) {{")
        for o in self.objects():
            self.fill(o)
        for c in model.choices:
            type_ = model.old_type(c.target, c.path)
            self.put(f"  if (random_choice({self.numbers[id(c)]})) "
                     f"{self.place(c.target, c.path)} = {self.scalar(type_, c.value)};")
        self.put("}")
        self.function("build")
        for b in model.blocks.values():
            self.put(f"  {self.allocate(b)}")
            self.alloc_lines[b.name] = len(self.lines)
        for name in model.freed:
            self.put(f"  void *{name} = malloc(40);")
            self.put(f"  random_free_later({name});")
        self.put(f"  {self.case.prefix}_fill({', '.join(own)});")
        self.put("}")

    def fill(self, o: Variable | Block) -> None:
        is_zeroed = o.how == "calloc" if isinstance(o, Block) else o.initial is None
        if isinstance(o, Variable) and (o.old_type is None or o.initial == o.value):
            return
        for path, type_, v in self.leaves(o.old_root(), o.value):
            if not is_zeroed or not is_zero(v):
                self.put(f"  {self.place(o.name, path)} = {self.scalar(type_, v)};")

    def again(self) -> None:
        """The new version allocates, too."""
        self.put(f"void again_{self.case.seed}(void) {{")
        for b in self.model.blocks.values():
            self.put(f"  {self.allocate(b)}")
            self.put(f"  random_free_later({b.name});")
        for f in self.model.functions:  # the compiler keeps them
            self.put(f"  random_free_later({f});")
        self.put("}")

    # ---- checks ----

    def verify(self) -> None:
        self.put("PLAIN")
        self.function("verify")
        for name, (holder, path) in self.model.leads.items():
            b = self.model.blocks[name]
            pointer = declare(Pointer(b.new_element if self.new else b.element))
            ref = self.model.get(holder, path)
            inner = steps(self.here(ref.target, ref.path))
            self.put(f"  {pointer}{name} = ({pointer})((char *)"
                     f"{self.place(holder, self.here(holder, path))} - "
                     f"(size_t)&(({pointer})0){inner});")
        chosen: dict[tuple, list[Choice]] = {}
        for c in self.model.choices:
            if not self.new or not c.certain:
                chosen.setdefault((c.target, self.here(c.target, c.path)), []).append(c)
        for o in self.objects():
            if isinstance(o, Variable) and self.type_of(o) is None:
                continue
            if isinstance(o, Variable) and o.old_type is None and o.new_initial is None:
                self.put(f"  ZERO({self.place(o.name, ())});")
                continue
            for path, type_, v in self.checked(o, chosen, *self.value_of(o)):
                place, line = self.place(o.name, path), ""
                for c in chosen.get((o.name, path), []):
                    line += f"if (random_choice({self.numbers[id(c)]})) " \
                        f"{self.check(place, type_, c.value)} else "
                self.put(f"  {line}{self.check(place, type_, v)}")
        self.put("}")

    def checked(self, o, chosen: dict, type_, value, path=()):
        """The scalars of a value, and its arrays of numbers as a whole where no choice is made:
        path, type, value."""
        if isinstance(value, list) and all(isinstance(v, int) for v in value) and \
                not any((o.name, (*path, i)) in chosen for i in range(len(value))):
            yield path, type_, value
        elif isinstance(value, list):
            for i, v in enumerate(value):
                yield from self.checked(o, chosen, type_.of, v, (*path, i))
        elif isinstance(value, dict):
            for m in self.world[type_.tag].members:
                yield from self.checked(o, chosen, m.type, value[m.name], (*path, m.name))
        elif isinstance(value, Live) and value.member:
            m = self.world[type_.tag].member(value.member)
            yield from self.checked(o, chosen, m.type, value.value, (*path, m.name))
        elif not isinstance(value, Live):
            yield path, type_, value

    def check(self, place: str, type_, value) -> str:
        if isinstance(value, Freed):
            return f"TRAPS({place});" if self.new else ";"
        if isinstance(value, Text):
            return f"TEXT({place}, \"{value.text}\");"
        if isinstance(value, (Ref, Call, Odd)):
            return f"POINTER({place}, {self.scalar(Pointer(None), value)});"
        if isinstance(value, float):
            return f"REAL({place}, {value.hex()});"
        if isinstance(value, list):
            if not value:
                return ";"
            return f"NUMBERS({place}, {', '.join(integer(v) for v in value)});"
        return f"NUMBER({place}, {integer(value)});"
