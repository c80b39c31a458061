#include "source.h"
#include "allocators.h"
#include "locals.h"
#include "path.h"

#include <stdio.h>
#include <string.h>

/* The way from a function's body to an expression. */
struct node {
  CXCursor cursor;
  const struct node *parent;
};

/* A call, and the local variable that its result goes to. */
struct assigned {
  size_t call;
  CXCursor variable;
};

struct walk {
  struct source *out;
  CXTranslationUnit unit;
  const char *directory;
  const struct allocators *libc;
  const struct node *node; /* the parent of what is visited */
  CXCursor function;
  ARRAY(struct assigned) assigned;
  ARRAY(CXCursor) returned; /* variables */
};

static char *taken(CXString string) {
  const char *text = clang_getCString(string);
  char *copy = text_copy(text ? text : "");
  clang_disposeString(string);
  return copy;
}

static bool is_static(CXCursor function) {
  return clang_getCursorLinkage(function) == CXLinkage_Internal;
}

/* Expressions whose value is that of an operand. */
static bool passes_on(CXCursor cursor) {
  switch (clang_getCursorKind(cursor)) {
  case CXCursor_UnexposedExpr:
  case CXCursor_ParenExpr:
  case CXCursor_CStyleCastExpr:
  case CXCursor_ConditionalOperator:
    return true;
  case CXCursor_BinaryOperator:
    switch (clang_getCursorBinaryOperatorKind(cursor)) {
    case CXBinaryOperator_Assign:
    case CXBinaryOperator_Comma:
    case CXBinaryOperator_Add:
    case CXBinaryOperator_Sub:
      return true;
    default:
      return false;
    }
  default:
    return false;
  }
}

static enum CXChildVisitResult first_child(CXCursor child, CXCursor parent, CXClientData data) {
  (void)parent;
  *(CXCursor *)data = child;
  return CXChildVisit_Break;
}

/* The variable that an assignment assigns to, or a null cursor. */
static CXCursor assigned_variable(CXCursor assignment) {
  CXCursor left = clang_getNullCursor();
  clang_visitChildren(assignment, first_child, &left);
  return clang_getCursorKind(left) == CXCursor_DeclRefExpr ? clang_getCursorReferenced(left)
                                                           : clang_getNullCursor();
}

static void set_destination(struct source_call *call, CXType pointer) {
  CXType target = ctype_target(pointer);
  if (target.kind == CXType_Invalid || ctype_is_void(target)) return;
  ctype_clear(&call->destination);
  call->destination = ctype_of(target);
}

/* Follows the result outwards: each cast, assignment and initialisation may give it a type. */
static void follow_result(struct walk *w, size_t index, const struct node *node) {
  struct source_call *call = &w->out->calls.items[index];
  for (; node; node = node->parent) {
    CXCursor variable = clang_getNullCursor();
    switch (clang_getCursorKind(node->cursor)) {
    case CXCursor_VarDecl:
      set_destination(call, clang_getCursorType(node->cursor));
      variable = node->cursor;
      break;
    case CXCursor_ReturnStmt:
      call->returned = true;
      break;
    default:
      if (!passes_on(node->cursor)) return;
      set_destination(call, clang_getCursorType(node->cursor));
      if (clang_getCursorBinaryOperatorKind(node->cursor) == CXBinaryOperator_Assign)
        variable = assigned_variable(node->cursor);
      break;
    }
    if (!clang_Cursor_isNull(variable)) {
      struct assigned *a = array_add(&w->assigned);
      a->call = index;
      a->variable = variable;
    }
    if (clang_isDeclaration(clang_getCursorKind(node->cursor)) || call->returned) return;
  }
}

static enum CXChildVisitResult last_child(CXCursor child, CXCursor parent, CXClientData data) {
  (void)parent;
  *(CXCursor *)data = child;
  return CXChildVisit_Continue;
}

/* Of posix_memalign(&variable, ...): what the variable points to. */
static void read_reference(struct source_call *call, CXCursor argument) {
  for (;;) {
    set_destination(call, ctype_target(clang_getCursorType(argument)));
    CXCursor inner = clang_getNullCursor();
    if (passes_on(argument)) clang_visitChildren(argument, last_child, &inner);
    if (clang_Cursor_isNull(inner)) return;
    argument = inner;
  }
}

static struct position position_of(CXCursor cursor, CXString *file) {
  struct position p;
  clang_getPresumedLocation(clang_getCursorLocation(cursor), file, &p.line, &p.column);
  return p;
}

static void read_positions(struct walk *w, struct source_call *call, CXCursor cursor) {
  CXString file;
  call->position = position_of(cursor, &file);
  char *name = taken(file);
  call->file = path_normal(w->directory, name);
  free(name);
  for (const struct node *node = w->node; node; node = node->parent)
    if (clang_getCursorKind(node->cursor) == CXCursor_CallExpr)
      *array_add(&call->outer) = position_of(node->cursor, NULL);
}

static void read_call(struct walk *w, CXCursor cursor) {
  CXCursor callee = clang_getCursorReferenced(cursor);
  if (clang_getCursorKind(callee) != CXCursor_FunctionDecl) return;
  char *name = taken(clang_getCursorSpelling(callee));
  const struct allocator *known = allocators_find(w->libc, name, ANY_UNIT, false);
  bool by_reference = known && known->by_reference;
  if (clang_getCanonicalType(clang_getCursorType(cursor)).kind != CXType_Pointer && !by_reference) {
    free(name);
    return;
  }
  size_t index = w->out->calls.count;
  struct source_call *call = array_add(&w->out->calls);
  read_positions(w, call, cursor);
  call->callee = name;
  call->callee_static = is_static(callee);
  call->function = taken(clang_getCursorSpelling(w->function));
  call->function_static = is_static(w->function);
  call->function_untyped = ctype_is_void(ctype_target(clang_getCursorResultType(w->function)));
  int count = clang_Cursor_getNumArguments(cursor);
  for (int i = 0; i < count && i < MAX_ARGUMENTS; i++)
    if (!known || known->sizes & 1u << i)
      operand_read(&call->size, w->unit, clang_Cursor_getArgument(cursor, i));
  if (by_reference && count > 0)
    read_reference(call, clang_Cursor_getArgument(cursor, 0));
  else {
    set_destination(call, clang_getCursorType(cursor));
    follow_result(w, index, w->node);
  }
}

static void read_static(struct walk *w, CXCursor cursor) {
  CXType type = clang_getCursorType(cursor);
  while (clang_getArrayElementType(type).kind != CXType_Invalid)
    type = clang_getArrayElementType(type);
  if (clang_Cursor_getStorageClass(cursor) != CX_SC_Static ||
      clang_isConstQualifiedType(clang_getCanonicalType(type)))
    return;
  struct source_static *s = array_add(&w->out->statics);
  s->function = taken(clang_getCursorSpelling(w->function));
  s->name = taken(clang_getCursorSpelling(cursor));
}

/* A variable that the function returns. */
static void read_reference_to(struct walk *w, CXCursor cursor) {
  const struct node *node = w->node;
  while (node && passes_on(node->cursor))
    node = node->parent;
  if (node && clang_getCursorKind(node->cursor) == CXCursor_ReturnStmt)
    *array_add(&w->returned) = clang_getCursorReferenced(cursor);
}

static enum CXChildVisitResult visit_body(CXCursor cursor, CXCursor parent, CXClientData data) {
  struct walk *w = data;
  (void)parent;
  switch (clang_getCursorKind(cursor)) {
  case CXCursor_CallExpr:
    read_call(w, cursor);
    break;
  case CXCursor_DeclRefExpr:
    read_reference_to(w, cursor);
    break;
  case CXCursor_VarDecl:
    read_static(w, cursor);
    break;
  default:
    break;
  }
  struct node node = {cursor, w->node};
  w->node = &node;
  clang_visitChildren(cursor, visit_body, w);
  w->node = node.parent;
  return CXChildVisit_Continue;
}

static void mark_returned(struct walk *w) {
  for (size_t a = 0; a < w->assigned.count; a++)
    for (size_t r = 0; r < w->returned.count; r++)
      if (clang_equalCursors(w->assigned.items[a].variable, w->returned.items[r]))
        w->out->calls.items[w->assigned.items[a].call].returned = true;
  w->assigned.count = w->returned.count = 0;
}

static enum CXChildVisitResult visit_top(CXCursor cursor, CXCursor parent, CXClientData data) {
  struct walk *w = data;
  (void)parent;
  if (clang_getCursorKind(cursor) != CXCursor_FunctionDecl || !clang_isCursorDefinition(cursor) ||
      clang_Location_isInSystemHeader(clang_getCursorLocation(cursor)))
    return CXChildVisit_Continue;
  w->function = cursor;
  clang_visitChildren(cursor, visit_body, w);
  mark_returned(w);
  locals_warn(cursor);
  return CXChildVisit_Continue;
}

/* The first error of a parse, or NULL. */
static char *first_error(CXTranslationUnit unit) {
  for (unsigned i = 0; i < clang_getNumDiagnostics(unit); i++) {
    CXDiagnostic d = clang_getDiagnostic(unit, i);
    bool error = clang_getDiagnosticSeverity(d) >= CXDiagnostic_Error;
    char *text =
        error ? taken(clang_formatDiagnostic(d, clang_defaultDiagnosticDisplayOptions())) : NULL;
    clang_disposeDiagnostic(d);
    if (text) return text;
  }
  return NULL;
}

bool source_call_at(const struct source_call *call, const char *file, struct position position) {
  const struct position *own = &call->position;
  bool at = own->line == position.line && own->column == position.column;
  for (size_t i = 0; !at && i < call->outer.count; i++)
    at = call->outer.items[i].line == position.line &&
         call->outer.items[i].column == position.column;
  return at && strcmp(call->file, file) == 0;
}

struct source *source_read(const char *directory, const char *file, char *const *arguments,
                           unsigned count, char **error) {
  CXIndex index = clang_createIndex(0, 0);
  CXTranslationUnit unit = NULL;
  enum CXErrorCode r = clang_parseTranslationUnit2(index, file, (const char *const *)arguments,
                                                   count, NULL, 0, CXTranslationUnit_None, &unit);
  *error = r != CXError_Success ? text_copy("libclang cannot read it") : first_error(unit);
  struct source *out = NULL;
  if (!*error) {
    struct allocators *libc = allocators_new();
    out = calloc(1, sizeof *out);
    if (!out) fail("out of memory");
    struct walk w = {.out = out, .unit = unit, .directory = directory, .libc = libc};
    clang_visitChildren(clang_getTranslationUnitCursor(unit), visit_top, &w);
    free(w.assigned.items);
    free(w.returned.items);
    allocators_free(libc);
  }
  if (unit) clang_disposeTranslationUnit(unit);
  clang_disposeIndex(index);
  return out;
}

void source_free(struct source *source) {
  for (size_t i = 0; i < source->calls.count; i++) {
    struct source_call *c = &source->calls.items[i];
    free(c->file);
    free(c->callee);
    free(c->function);
    free(c->outer.items);
    ctype_clear(&c->destination);
    operand_clear(&c->size);
  }
  for (size_t i = 0; i < source->statics.count; i++) {
    free(source->statics.items[i].function);
    free(source->statics.items[i].name);
  }
  free(source->statics.items);
  free(source->calls.items);
  free(source);
}
