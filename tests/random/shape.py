"""The C types that pairs are made of.

A type that has a tag is only named (`Named`); what the tag stands for is looked up in a world, and
each version has a world of its own. So one type expression serves both versions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Int:
    name: str
    bits: int
    signed: bool

    def holds(self, value: int, bits: int | None = None) -> bool:
        low, high = self.range(bits)
        return low <= value <= high

    def range(self, bits: int | None = None) -> tuple[int, int]:
        bits = bits or self.bits
        if self.name == "char":
            return 0, 127  # whose sign is the compiler's choice
        if self == COOKIE:
            return 0, (1 << 62) - 1  # whose sign is nobody's
        if self.signed:
            return -(1 << bits - 1), (1 << bits - 1) - 1
        return 0, (1 << bits) - 1


@dataclass(frozen=True)
class Float:
    name: str


@dataclass(frozen=True)
class Pointer:
    to: object  # None: void
    mask: int = 0  # tagged_pointer(mask)
    is_word: bool = False  # pointer_to(to): an integer holds it


@dataclass(frozen=True)
class Opaque:
    """A number, or what its bytes are as a number."""
    of: object


@dataclass(frozen=True)
class FunctionPointer:
    pass


@dataclass(frozen=True)
class Array:
    of: object
    count: int  # 0: a flexible array, the last member of a struct


@dataclass(frozen=True)
class Named:
    keyword: str  # struct, union, enum
    tag: str


@dataclass(frozen=True)
class LiveBy:
    """live_by: what a union's sibling says of it."""
    field: str
    cases: tuple  # of pairs: a number or an enumerator's name, and a member's name; None: nothing
    default: object  # a member's name; None: nothing; False: there is none


@dataclass(frozen=True)
class Member:
    name: str
    type: object
    bits: int = 0  # of a bit-field
    was: str = ""  # renamed_from
    is_own: bool = False  # dont_transfer
    by: LiveBy | None = None
    is_fixed: bool = False  # a discriminator: its name and type stay


@dataclass
class Struct:
    """Also a union."""
    members: list[Member] = field(default_factory=list)
    # Of the new version: where members of the old struct, and of structs in it, are now, if not
    # where they were. A path is a tuple of names.
    homes: dict[tuple, tuple] = field(default_factory=dict)
    was: str = ""  # renamed_from

    def member(self, name: str) -> Member | None:
        return next((m for m in self.members if m.name == name), None)


@dataclass
class Enum:
    constants: dict[str, int]
    renamed: dict[str, str] = field(default_factory=dict)  # of the new version: old name -> new
    was: str = ""  # renamed_from


World = dict  # tag -> Struct or Enum, in the order of their definitions

COOKIE = Int("void *", 64, False)  # not_pointer
BOOL = Int("_Bool", 1, False)
CHAR = Int("char", 8, True)
INTS = [Int("signed char", 8, True), Int("unsigned char", 8, False), Int("short", 16, True),
        Int("unsigned short", 16, False), Int("int", 32, True), Int("unsigned int", 32, False),
        Int("long", 64, True), Int("unsigned long", 64, False), Int("long long", 64, True),
        Int("unsigned long long", 64, False)]
FLOATS = [Float("float"), Float("double")]


def declare(type_, name: str = "") -> str:
    """A declaration of `name`; the type's own name without one."""
    if isinstance(type_, FunctionPointer):
        return f"void (*{name})(void)"
    if isinstance(type_, Opaque):
        return declare(type_.of, name)
    if isinstance(type_, Pointer):
        if type_.is_word:
            return f"unsigned long {name}".rstrip()
        inner = f"*{name}"
        return f"void {inner}" if type_.to is None else declare(type_.to, inner)
    if isinstance(type_, Array):
        return declare(type_.of, f"{name}[{type_.count or ''}]")
    text = f"{type_.keyword} {type_.tag}" if isinstance(type_, Named) else type_.name
    return f"{text} {name}".rstrip()


def step(world: World, type_, at):
    """The type of an element (`at` is an index) or of a member (a name); None if it has none."""
    if isinstance(type_, Array):
        return type_.of if isinstance(at, int) else None
    if is_record(type_) and isinstance(at, str):
        member = world[type_.tag].member(at)
        return member.type if member else None
    return None


def innermost(type_):
    """What an array is made of."""
    while isinstance(type_, Array):
        type_ = type_.of
    return type_


def meant(type_):
    """What an annotation says that a type is."""
    if type_ == COOKIE:
        return Int("unsigned long", 64, False)
    return replace(type_, is_word=False) if isinstance(type_, Pointer) else type_


def width(type_) -> int | None:
    """Bits that a number or an address takes; None: it is neither."""
    if isinstance(type_, (Pointer, FunctionPointer)):
        return 64
    if is_enum(type_):
        return 32
    return max(type_.bits, 8) if isinstance(type_, Int) else None


def is_enum(type_) -> bool:
    return isinstance(type_, Named) and type_.keyword == "enum"


def is_record(type_) -> bool:
    return isinstance(type_, Named) and type_.keyword != "enum"


def is_marked(type_) -> bool:
    """Does an annotation say what a scalar is?"""
    type_ = innermost(type_)
    return isinstance(type_, Opaque) or type_ == COOKIE or \
        isinstance(type_, Pointer) and (type_.mask != 0 or type_.is_word)


def translate(tags: dict[str, str], type_):
    """A type of the old version, by its new name."""
    if isinstance(type_, Array):
        return Array(translate(tags, type_.of), type_.count)
    if isinstance(type_, Opaque):
        return Opaque(translate(tags, type_.of))
    if isinstance(type_, Pointer):
        return Pointer(translate(tags, type_.to), type_.mask, type_.is_word)
    if isinstance(type_, Named):
        return Named(type_.keyword, tags.get(type_.tag, type_.tag))
    return type_


def may_point(world: World, type_) -> bool:
    if isinstance(type_, (Pointer, FunctionPointer)):
        return True
    if isinstance(type_, Array):
        return may_point(world, type_.of)
    if is_record(type_):
        return any(may_point(world, m.type) for m in world[type_.tag].members)
    return False


def same(old: World, new: World, tags: dict[str, str], a, b) -> bool:
    """Is an object of type `a` of the old version, bit by bit, one of type `b` of the new?"""
    if isinstance(a, Array) and isinstance(b, Array):
        return a.count == b.count and same(old, new, tags, a.of, b.of)
    if translate(tags, a) != b:
        return False
    if not isinstance(a, Named):
        return True
    da, db = old[a.tag], new[b.tag]
    if isinstance(da, Enum):
        return da.constants == db.constants
    return len(da.members) == len(db.members) and all(
        (m.name, m.bits, m.is_own) == (n.name, n.bits, n.is_own) and
        same(old, new, tags, m.type, n.type)
        for m, n in zip(da.members, db.members))
