#include "ctype.h"
#include "array.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char *key(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *key(const char *format, ...) {
  va_list args;
  char *text;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) fail("out of memory");
  va_end(args);
  return text;
}

/* One step inwards through spelling and typedefs; invalid when there is none. */
static CXType step(CXType type) {
  switch (type.kind) {
  case CXType_Elaborated:
    return clang_Type_getNamedType(type);
  case CXType_Typedef:
    return clang_getTypedefDeclUnderlyingType(clang_getTypeDeclaration(type));
  case CXType_Attributed:
    return clang_Type_getModifiedType(type);
  case CXType_Atomic:
    return clang_Type_getValueType(type);
  case CXType_Unexposed: {
    CXType canonical = clang_getCanonicalType(type);
    if (canonical.kind != CXType_Unexposed) return canonical;
    break;
  }
  default:
    break;
  }
  return (CXType){.kind = CXType_Invalid};
}

static CXType strip(CXType type) {
  for (CXType next = step(type); next.kind != CXType_Invalid; next = step(type))
    type = next;
  return type;
}

static CXType element(CXType type) {
  type = strip(type);
  while (type.kind == CXType_ConstantArray || type.kind == CXType_IncompleteArray ||
         type.kind == CXType_VariableArray || type.kind == CXType_Vector)
    type = strip(clang_getElementType(type));
  return type;
}

/* libclang spells what has a tag "struct conn", what only a typedef names by that name, and the
 * rest "struct (unnamed at ...)". */
static char *tagged_key(CXType type) {
  CXCursor declaration = clang_getTypeDeclaration(type);
  CXString spelling = clang_getTypeSpelling(clang_getCursorType(declaration));
  const char *text = clang_getCString(spelling);
  char *result = strchr(text, '(')   ? NULL
                 : strchr(text, ' ') ? key("%s", text)
                                     : key("typedef %s", text);
  clang_disposeString(spelling);
  return result;
}

static char *key_of(CXType type);

static char *enum_key(CXType type) {
  char *tagged = tagged_key(type);
  return tagged ? tagged : key_of(clang_getEnumDeclIntegerType(clang_getTypeDeclaration(type)));
}

static char *key_of(CXType type) {
  type = element(type);
  long long bytes = clang_Type_getSizeOf(type);
  switch (type.kind) {
  case CXType_Void:
    return key("v");
  case CXType_Bool:
    return key("b%lld", bytes);
  case CXType_Char_S:
  case CXType_SChar:
    return key("c1");
  case CXType_Char_U:
  case CXType_UChar:
    return key("C1");
  case CXType_UShort:
  case CXType_UInt:
  case CXType_ULong:
  case CXType_ULongLong:
  case CXType_UInt128:
    return key("u%lld", bytes);
  case CXType_Short:
  case CXType_Int:
  case CXType_Long:
  case CXType_LongLong:
  case CXType_WChar:
  case CXType_Int128:
    return key("i%lld", bytes);
  case CXType_Float:
  case CXType_Double:
  case CXType_LongDouble:
  case CXType_Float128:
    return key("f%lld", bytes);
  case CXType_Complex:
    return key("x%lld", bytes);
  case CXType_FunctionProto:
  case CXType_FunctionNoProto:
    return key("f");
  case CXType_Record:
    return tagged_key(type);
  case CXType_Enum:
    return enum_key(type);
  case CXType_Pointer: {
    char *target = key_of(clang_getPointeeType(type));
    char *result = target ? key("*%s", target) : NULL;
    free(target);
    return result;
  }
  default:
    return NULL;
  }
}

CXType ctype_target(CXType type) {
  type = strip(type);
  if (type.kind == CXType_Pointer) return strip(clang_getPointeeType(type));
  return clang_getElementType(type);
}

bool ctype_is_void(CXType type) {
  return strip(type).kind == CXType_Void;
}

static enum CXVisitorResult last_field(CXCursor field, CXClientData data) {
  *(CXCursor *)data = field;
  return CXVisit_Continue;
}

static void read_tail(CXType type, struct ctype *out) {
  type = strip(type);
  CXCursor last = clang_getNullCursor();
  if (type.kind != CXType_Record) return;
  clang_Type_visitFields(type, last_field, &last);
  if (clang_Cursor_isNull(last)) return;
  CXType tail = strip(clang_getCursorType(last));
  if (tail.kind != CXType_IncompleteArray &&
      (tail.kind != CXType_ConstantArray || clang_getArraySize(tail) != 0))
    return;
  out->flexible = true;
  out->tail = key_of(tail);
  out->tail_bytes = clang_Type_getSizeOf(element(tail));
}

/* What is left of a type without arrays and pointers. */
static CXType root(CXType type) {
  type = element(type);
  while (type.kind == CXType_Pointer)
    type = element(clang_getPointeeType(type));
  return type;
}

struct ctype ctype_of(CXType type) {
  struct ctype out = {.key = key_of(type), .bytes = clang_Type_getSizeOf(element(type))};
  read_tail(type, &out);
  CXType tagged = root(type);
  if (tagged.kind != CXType_Record && tagged.kind != CXType_Enum) return out;
  CXString file;
  CXCursor declaration = clang_getTypeDeclaration(tagged);
  clang_getPresumedLocation(clang_getCursorLocation(declaration), &file, &out.line, NULL);
  out.file = text_copy(clang_getCString(file));
  clang_disposeString(file);
  return out;
}

struct ctype ctype_pointer_to(struct ctype type) {
  char *target = type.key;
  type.key = target ? key("*%s", target) : NULL;
  type.flexible = false;
  type.bytes = sizeof(void *);
  free(target);
  free(type.tail);
  type.tail = NULL;
  return type;
}

struct ctype ctype_keyed(const char *text) {
  return (struct ctype){.key = text_copy(text)};
}

void ctype_clear(struct ctype *type) {
  free(type->key);
  free(type->file);
  free(type->tail);
  *type = (struct ctype){0};
}

bool key_is_bytes(const char *text) {
  return strcmp(text, "c1") == 0 || strcmp(text, "C1") == 0;
}

bool key_is_composite(const char *text) {
  return strncmp(text, "struct ", 7) == 0 || strncmp(text, "union ", 6) == 0 ||
         strncmp(text, "typedef ", 8) == 0;
}

bool key_is_number(const char *text) {
  return strchr("iucCbfx", text[0]) && text[1] >= '0' && text[1] <= '9';
}

bool key_agrees(const char *a, const char *b) {
  if (strcmp(a, b) == 0) return true;
  return key_is_number(a) && key_is_number(b) && strcmp(a + 1, b + 1) == 0;
}
