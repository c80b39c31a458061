#include "operand.h"
#include "array.h"

#include <stdio.h>
#include <string.h>

struct walk {
  struct operand *out;
  CXTranslationUnit unit;
  bool all_sized, any_sized; /* of the operands seen: those with a sizeof */
};

/* A term that is being read. */
struct term {
  CXTranslationUnit unit;
  struct addend addend;
};

static enum CXChildVisitResult first_child(CXCursor child, CXCursor parent, CXClientData data) {
  (void)parent;
  *(CXCursor *)data = child;
  return CXChildVisit_Break;
}

static long long evaluated(CXCursor expression) {
  CXEvalResult result = clang_Cursor_Evaluate(expression);
  long long value = result ? clang_EvalResult_getAsLongLong(result) : -1;
  if (result) clang_EvalResult_dispose(result);
  return value;
}

/* The words of "sizeof(words)", or "" where a macro hides them. */
static void spelled(CXTranslationUnit unit, CXCursor expression, char *words, size_t cap) {
  CXToken *tokens = NULL;
  unsigned count = 0;
  *words = '\0';
  clang_tokenize(unit, clang_getCursorExtent(expression), &tokens, &count);
  for (unsigned i = 0; i < count; i++) {
    CXString token = clang_getTokenSpelling(unit, tokens[i]);
    const char *text = clang_getCString(token);
    size_t used = strlen(words);
    bool first_wrong = (i == 0 && strcmp(text, "sizeof") != 0) || strchr(text, ';');
    if (!first_wrong && i > 0) snprintf(words + used, cap - used, " %s ", text);
    clang_disposeString(token);
    if (first_wrong) {
      *words = '\0';
      break;
    }
  }
  clang_disposeTokens(unit, tokens, count);
}

static struct ctype builtin(const char *words, long long bytes) {
  char key[24];
  char kind = strstr(words, " float ") || strstr(words, " double ")                           ? 'f'
              : strstr(words, " _Bool ") || strstr(words, " bool ")                           ? 'b'
              : strstr(words, " char ") && strstr(words, " unsigned ")                        ? 'C'
              : strstr(words, " char ")                                                       ? 'c'
              : strstr(words, " unsigned ")                                                   ? 'u'
              : strstr(words, " int ") || strstr(words, " long ") || strstr(words, " short ") ? 'i'
                                                                                              : 0;
  if (strchr(words, '*')) return strstr(words, " void ") ? ctype_keyed("*v") : (struct ctype){0};
  snprintf(key, sizeof key, "%c%lld", kind, bytes);
  return kind ? ctype_keyed(key) : (struct ctype){0};
}

/* The type that a sizeof is of. libclang shows an expression as it is, but of a type only the name
 * in it: whether it is a pointer to that is decided by size, and by its spelling where sizes do not
 * tell. */
static struct ctype sizeof_type(CXTranslationUnit unit, CXCursor expression) {
  CXCursor child = clang_getNullCursor();
  char words[256];
  clang_visitChildren(expression, first_child, &child);
  long long bytes = evaluated(expression);
  spelled(unit, expression, words, sizeof words);
  if (clang_Cursor_isNull(child)) return builtin(words, bytes);
  CXType type = clang_getCursorType(child);
  struct ctype out = ctype_of(type);
  if (clang_getCursorKind(child) != CXCursor_TypeRef) return out;
  bool array = strchr(words, '[') != NULL;
  bool pointer = strchr(words, '*') || (!array && clang_Type_getSizeOf(type) != bytes);
  return pointer ? ctype_pointer_to(out) : out;
}

static void found(struct operand *out, struct ctype type) {
  bool another = out->type.key && type.key && strcmp(out->type.key, type.key) != 0;
  out->several |= !type.key || another;
  /* Of several, the one that can be followed by the others is kept. */
  if (!type.key || (another && !type.flexible)) {
    ctype_clear(&type);
    return;
  }
  ctype_clear(&out->type);
  out->type = type;
}

/* ---- terms ---- */

static bool is_sum(CXCursor cursor) {
  if (clang_getCursorKind(cursor) != CXCursor_BinaryOperator) return false;
  enum CXBinaryOperatorKind kind = clang_getCursorBinaryOperatorKind(cursor);
  return kind == CXBinaryOperator_Add || kind == CXBinaryOperator_Sub;
}

static enum CXChildVisitResult visit_term(CXCursor cursor, CXCursor parent, CXClientData data) {
  struct term *t = data;
  struct addend *a = &t->addend;
  (void)parent;
  if (clang_getCursorKind(cursor) != CXCursor_UnaryExpr) {
    clang_visitChildren(cursor, visit_term, t);
    return CXChildVisit_Continue;
  }
  struct ctype type = sizeof_type(t->unit, cursor);
  if (!a->sized) {
    a->key = type.key ? text_copy(type.key) : NULL;
    a->bytes = type.bytes;
  } else if (!a->key || !type.key || strcmp(a->key, type.key) != 0) {
    a->several = true;
  }
  a->sized = true;
  ctype_clear(&type);
  return CXChildVisit_Continue;
}

static enum CXChildVisitResult visit_addends(CXCursor cursor, CXCursor parent, CXClientData data);

static void read_addend(struct walk *w, CXCursor cursor) {
  CXCursor inner = clang_getNullCursor();
  enum CXCursorKind kind = clang_getCursorKind(cursor);
  if (kind == CXCursor_ParenExpr || kind == CXCursor_UnexposedExpr)
    clang_visitChildren(cursor, first_child, &inner);
  if (!clang_Cursor_isNull(inner)) {
    read_addend(w, inner);
  } else if (is_sum(cursor)) {
    clang_visitChildren(cursor, visit_addends, w);
  } else {
    struct term term = {.unit = w->unit};
    visit_term(cursor, cursor, &term);
    *array_add(&w->out->addends) = term.addend;
  }
}

static enum CXChildVisitResult visit_addends(CXCursor cursor, CXCursor parent, CXClientData data) {
  (void)parent;
  read_addend(data, cursor);
  return CXChildVisit_Continue;
}

/* ---- all ---- */

static bool read_one(struct operand *out, CXTranslationUnit unit, CXCursor cursor);

static enum CXChildVisitResult visit(CXCursor cursor, CXCursor parent, CXClientData data) {
  struct walk *w = data;
  (void)parent;
  bool sized = read_one(w->out, w->unit, cursor);
  w->all_sized &= sized;
  w->any_sized |= sized;
  return CXChildVisit_Continue;
}

static void clear_addends(struct operand *out) {
  for (size_t i = 0; i < out->addends.count; i++)
    free(out->addends.items[i].key);
  out->addends.count = 0;
}

/* True when a sizeof is in the expression. */
static bool read_one(struct operand *out, CXTranslationUnit unit, CXCursor cursor) {
  struct walk w = {.out = out, .unit = unit, .all_sized = true};
  switch (clang_getCursorKind(cursor)) {
  case CXCursor_UnaryExpr:
    found(out, sizeof_type(unit, cursor));
    return true;
  case CXCursor_DeclRefExpr:
    out->parameter |= clang_getCursorKind(clang_getCursorReferenced(cursor)) == CXCursor_ParmDecl;
    return false;
  default:
    break;
  }
  clang_visitChildren(cursor, visit, &w);
  if (is_sum(cursor) && w.any_sized) {
    out->added |= !w.all_sized;
    /* Of sums in sums, the outermost is read last, and has the terms of all. */
    clear_addends(out);
    clang_visitChildren(cursor, visit_addends, &w);
  }
  return w.any_sized;
}

void operand_read(struct operand *operand, CXTranslationUnit unit, CXCursor size) {
  read_one(operand, unit, size);
}

void operand_clear(struct operand *operand) {
  clear_addends(operand);
  free(operand->addends.items);
  ctype_clear(&operand->type);
}
