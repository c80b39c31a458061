#include "locals.h"
#include "array.h"

#include <stdbool.h>
#include <string.h>

/* A loop around an update point: what is declared before its body lives through its rounds. */
struct loop {
  unsigned start, body, end; /* offsets in the file */
};

struct local {
  CXCursor variable;
  unsigned declared;
  bool is_const;
  /* First uses from the outermost loop on; 0 = none. Of an assignment, its end: what it assigns is
   * read before. */
  unsigned first_read, first_written;
};

struct search {
  bool is_main;
  unsigned call;             /* offset of the update point; 0 = none */
  ARRAY(struct loop) around; /* loops that are open */
  ARRAY(struct loop) loops;  /* those around the update point, from the outermost */
  ARRAY(struct local) locals;
};

static unsigned offset_of(CXSourceLocation location) {
  unsigned offset;
  clang_getExpansionLocation(location, NULL, NULL, NULL, &offset);
  return offset;
}

static struct loop extent(CXCursor cursor) {
  CXSourceRange range = clang_getCursorExtent(cursor);
  return (struct loop){.start = offset_of(clang_getRangeStart(range)),
                       .end = offset_of(clang_getRangeEnd(range))};
}

static bool is_loop(CXCursor cursor) {
  enum CXCursorKind kind = clang_getCursorKind(cursor);
  return kind == CXCursor_ForStmt || kind == CXCursor_WhileStmt || kind == CXCursor_DoStmt;
}

static enum CXChildVisitResult last_of(CXCursor child, CXCursor parent, CXClientData data) {
  (void)parent;
  *(CXCursor *)data = child;
  return CXChildVisit_Continue;
}

static enum CXChildVisitResult first_of(CXCursor child, CXCursor parent, CXClientData data) {
  (void)parent;
  *(CXCursor *)data = child;
  return CXChildVisit_Break;
}

static struct loop loop_of(CXCursor cursor) {
  struct loop loop = extent(cursor);
  CXCursor body = clang_getNullCursor();
  bool first = clang_getCursorKind(cursor) == CXCursor_DoStmt;
  clang_visitChildren(cursor, first ? first_of : last_of, &body);
  loop.body = extent(body).start;
  return loop;
}

static bool is_update_point(CXCursor cursor) {
  if (clang_getCursorKind(cursor) != CXCursor_CallExpr) return false;
  CXString name = clang_getCursorSpelling(cursor);
  bool is = strcmp(clang_getCString(name), "st_update_point") == 0;
  clang_disposeString(name);
  return is;
}

static enum CXChildVisitResult find_point(CXCursor cursor, CXCursor parent, CXClientData data) {
  struct search *s = data;
  (void)parent;
  if (is_update_point(cursor)) {
    s->call = extent(cursor).end;
    for (size_t i = 0; i < s->around.count; i++)
      *array_add(&s->loops) = s->around.items[i];
    return CXChildVisit_Break;
  }
  bool loop = is_loop(cursor);
  if (loop) *array_add(&s->around) = loop_of(cursor);
  clang_visitChildren(cursor, find_point, s);
  if (loop) s->around.count--;
  return s->call ? CXChildVisit_Break : CXChildVisit_Continue;
}

/* ---- uses ---- */

static bool is_local(CXCursor variable, bool is_main) {
  enum CXCursorKind kind = clang_getCursorKind(variable);
  if (kind == CXCursor_ParmDecl) return !is_main;
  return kind == CXCursor_VarDecl && !clang_Cursor_hasVarDeclGlobalStorage(variable);
}

static struct local *local_of(struct search *s, CXCursor variable) {
  for (size_t i = 0; i < s->locals.count; i++)
    if (clang_equalCursors(s->locals.items[i].variable, variable)) return &s->locals.items[i];
  struct local *l = array_add(&s->locals);
  l->variable = variable;
  l->declared = extent(variable).start;
  l->is_const = clang_isConstQualifiedType(clang_getCanonicalType(clang_getCursorType(variable)));
  return l;
}

/* A use counts when it comes after the update point, in this round or in the next one. */
static bool follows(const struct search *s, unsigned at) {
  return at > (s->loops.count ? s->loops.items[0].start : s->call);
}

static void note(unsigned *first, unsigned at) {
  if (*first == 0 || at < *first) *first = at;
}

/* The variable that a plain assignment gives a value, or a null cursor. */
static CXCursor assigned(CXCursor cursor) {
  CXCursor left = clang_getNullCursor();
  if (clang_getCursorKind(cursor) != CXCursor_BinaryOperator ||
      clang_getCursorBinaryOperatorKind(cursor) != CXBinaryOperator_Assign)
    return left;
  clang_visitChildren(cursor, first_of, &left);
  return clang_getCursorKind(left) == CXCursor_DeclRefExpr ? clang_getCursorReferenced(left)
                                                           : clang_getNullCursor();
}

static enum CXChildVisitResult find_uses(CXCursor cursor, CXCursor parent, CXClientData data) {
  struct search *s = data;
  CXCursor variable = assigned(cursor);
  struct loop at = extent(cursor);
  if (is_local(variable, s->is_main) && follows(s, at.start)) {
    note(&local_of(s, variable)->first_written, at.end);
  } else if (clang_getCursorKind(cursor) == CXCursor_DeclRefExpr) {
    variable = clang_getCursorReferenced(cursor);
    bool written = !clang_Cursor_isNull(assigned(parent)) && at.start == extent(parent).start;
    if (!written && is_local(variable, s->is_main) && follows(s, at.start))
      note(&local_of(s, variable)->first_read, at.start);
  }
  return CXChildVisit_Recurse;
}

/* Declared outside of a loop around the update point, or before the point where there is none. */
static bool lives(const struct search *s, const struct local *l) {
  bool outside = s->loops.count == 0 && l->declared < s->call;
  for (size_t i = 0; i < s->loops.count; i++)
    outside |= l->declared < s->loops.items[i].body;
  bool read = l->first_read && !(l->first_written && l->first_written < l->first_read);
  return outside && read && !l->is_const;
}

static void warn_of(const struct local *l, CXCursor function) {
  CXString name = clang_getCursorSpelling(l->variable), in = clang_getCursorSpelling(function),
           file;
  unsigned line;
  clang_getPresumedLocation(clang_getCursorLocation(l->variable), &file, &line, NULL);
  warn("%s:%u: local '%s' of '%s' lives across st_update_point() and is not carried over; make it "
       "static",
       clang_getCString(file), line, clang_getCString(name), clang_getCString(in));
  clang_disposeString(name);
  clang_disposeString(in);
  clang_disposeString(file);
}

void locals_warn(CXCursor function) {
  CXString name = clang_getCursorSpelling(function);
  struct search s = {.is_main = strcmp(clang_getCString(name), "main") == 0};
  clang_disposeString(name);
  clang_visitChildren(function, find_point, &s);
  if (s.call) clang_visitChildren(function, find_uses, &s);
  for (size_t i = 0; i < s.locals.count; i++)
    if (lives(&s, &s.locals.items[i])) warn_of(&s.locals.items[i], function);
  free(s.around.items);
  free(s.loops.items);
  free(s.locals.items);
}
