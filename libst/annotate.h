/* Annotations: what libst cannot know by itself about a program's state, one line each, at file
 * scope, after what they name is declared. docs/annotations.md explains each with an example.
 *
 *   ST_FIELD(struct conn, cookie, opaque);             a member, in every object of the type
 *   ST_VAR(cache, dont_transfer);                      a variable of file scope
 *   ST_STATIC(lookup, cache, dont_transfer);           a static of function lookup
 *   ST_TYPE(struct conn, renamed_from(struct peer));   a struct, union, enum or typedef
 *   ST_ENUMERATOR(MODE_IDLE, renamed_from(MODE_NONE));
 *   ST_FUNCTION(on_close, renamed_from(closed));
 *   ST_BLOCKS(slab_grow, pool_of(struct item));        heap blocks that a function allocates
 *
 * What can be said:
 *
 *   opaque                 bytes are carried over as they are; nothing in them is followed, or
 *                          taken for an address
 *   dont_transfer          keeps the new version's value (in a heap block: zero)
 *   renamed_from(NAME)     what it is called in the old version
 *   pointer_to(TYPE)       an integer (uintptr_t) that holds a pointer; TYPE may be void
 *   not_pointer            a pointer that holds a number
 *   tagged_pointer(MASK)   a pointer or integer whose bits of MASK are no part of the address
 *   pool_of(TYPE)          a byte array that holds objects of TYPE, one after the other
 *   live_by(FIELD, VALUE = MEMBER, ...)
 *                          of a union, MEMBER is live when the sibling FIELD is VALUE, a number or
 *                          an enumerator; `default = MEMBER` for other values; MEMBER may be
 *                          `nothing`. A union without a name is named by one of its members.
 *
 * An annotation is a record in a section that is not loaded: code and data are the same without it.
 * The compiler checks what it names; st-instrument the rest; former names are looked for in the old
 * version when the plan is made. */
#ifndef LIBST_ANNOTATE_H
#define LIBST_ANNOTATE_H

#define ST_ANNOTATION_SECTION ".st_annotations"

#define ST_FIELD(type, field, what)                                                                \
  ST_ANNOTATION_("field", ST_TEXT_(type), ST_TEXT_(field), ST_WHAT_##what)                         \
  _Static_assert(sizeof((void)((type *)0)->field, 0), "")
#define ST_VAR(name, what)                                                                         \
  ST_ANNOTATION_("variable", "", ST_TEXT_(name), ST_WHAT_##what)                                   \
  _Static_assert(sizeof((void)(name), 0), "")
#define ST_STATIC(function, name, what)                                                            \
  ST_ANNOTATION_("static", ST_TEXT_(function), ST_TEXT_(name), ST_WHAT_##what)                     \
  _Static_assert(sizeof((void)(function), 0), "")
#define ST_TYPE(type, what)                                                                        \
  ST_ANNOTATION_("type", ST_TEXT_(type), "", ST_WHAT_##what) _Static_assert(sizeof(type), "")
#define ST_ENUMERATOR(name, what)                                                                  \
  ST_ANNOTATION_("enumerator", "", ST_TEXT_(name), ST_WHAT_##what)                                 \
  _Static_assert(sizeof(name), "")
#define ST_FUNCTION(name, what)                                                                    \
  ST_ANNOTATION_("function", "", ST_TEXT_(name), ST_WHAT_##what)                                   \
  _Static_assert(sizeof((void)(name), 0), "")
#define ST_BLOCKS(function, what)                                                                  \
  ST_ANNOTATION_("blocks", "", ST_TEXT_(function), ST_WHAT_##what)                                 \
  _Static_assert(sizeof((void)(function), 0), "")

/* What is said: a keyword and its argument. Former names are not expanded: a macro may lead from
 * the old name to the new one. */
#define ST_WHAT_opaque               "opaque", ""
#define ST_WHAT_dont_transfer        "dont_transfer", ""
#define ST_WHAT_renamed_from(name)   "renamed_from", #name
#define ST_WHAT_pointer_to(type)     "pointer_to", ST_TEXT_(type)
#define ST_WHAT_not_pointer          "not_pointer", ""
#define ST_WHAT_tagged_pointer(mask) "tagged_pointer", ST_TEXT_(mask)
#define ST_WHAT_pool_of(type)        "pool_of", ST_TEXT_(type)
#define ST_WHAT_live_by(...)         "live_by", ST_TEXT_(__VA_ARGS__)

#define ST_TEXT_(...)    ST_QUOTE_(__VA_ARGS__)
#define ST_QUOTE_(...)   #__VA_ARGS__
#define ST_STRING_(text) ".string \"" text "\"\n"

/* Eight strings: target, its scope, its name, what is said, its argument, unit, file, line. */
#define ST_ANNOTATION_(...) ST_RECORD_(__VA_ARGS__)
#define ST_RECORD_(target, scope, name, what, argument)                                            \
  __asm__(".pushsection " ST_ANNOTATION_SECTION ",\"\",@progbits\n" ST_STRING_(target)             \
              ST_STRING_(scope) ST_STRING_(name) ST_STRING_(what) ST_STRING_(argument)             \
                  ST_STRING_(__BASE_FILE__) ST_STRING_(__FILE__)                                   \
                      ST_STRING_(ST_TEXT_(__LINE__)) ".popsection");

#endif
