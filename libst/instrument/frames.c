#include "frames.h"
#include "die.h"
#include "path.h"

#include <dwarf.h>
#include <string.h>

static char *unit_path(Dwarf_Die *unit, const char *file) {
  Dwarf_Attribute attribute;
  const char *directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
  return file ? path_normal(directory ? directory : "", file) : text_copy("");
}

/* Position by the line table. */
static void read_row(struct frame *frame, uint64_t address) {
  Dwarf_Line *row = dwarf_getsrc_die(&frame->unit, address);
  int line = 0, column = 0;
  if (row) {
    dwarf_lineno(row, &line);
    dwarf_linecol(row, &column);
  }
  frame->line = line;
  frame->column = column;
  frame->file = unit_path(&frame->unit, row ? dwarf_linesrc(row, NULL, NULL) : NULL);
}

/* Position of the call that was inlined. */
static void read_inlined_call(struct frame *frame, Dwarf_Die *inlined) {
  Dwarf_Files *files;
  size_t count;
  uint64_t file = die_number(inlined, DW_AT_call_file, 0);
  bool have = dwarf_getsrcfiles(&frame->unit, &files, &count) == 0 && file < count;
  frame->line = die_number(inlined, DW_AT_call_line, 0);
  frame->column = die_number(inlined, DW_AT_call_column, 0);
  frame->file = unit_path(&frame->unit, have ? dwarf_filesrc(files, file, NULL, NULL) : NULL);
}

/* The child scope that contains the address, or the child's child ...; false when there is none. */
static bool inner_scope(Dwarf_Die *scope, uint64_t address, Dwarf_Die *inner) {
  Dwarf_Die child;
  for (int r = dwarf_child(scope, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    int tag = dwarf_tag(&child);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) continue;
    if (dwarf_haspc(&child, address) > 0) {
      *inner = child;
      return true;
    }
  }
  return false;
}

struct frames frames_at(Dwarf_Die *function, uint64_t address) {
  ARRAY(Dwarf_Die) scopes = {0}; /* functions, outermost first */
  Dwarf_Die scope = *function;
  *array_add(&scopes) = scope;
  while (inner_scope(&scope, address, &scope))
    if (dwarf_tag(&scope) == DW_TAG_inlined_subroutine) *array_add(&scopes) = scope;
  struct frames frames = {0};
  for (size_t i = scopes.count; i-- > 0;) {
    struct frame *frame = array_add(&frames.items);
    frame->function = die_origin(&scopes.items[i]);
    dwarf_diecu(function, &frame->unit, NULL, NULL);
    if (i == scopes.count - 1)
      read_row(frame, address);
    else
      read_inlined_call(frame, &scopes.items[i + 1]);
  }
  free(scopes.items);
  return frames;
}

void frames_clear(struct frames *frames) {
  for (size_t i = 0; i < frames->items.count; i++)
    free(frames->items.items[i].file);
  free(frames->items.items);
  *frames = (struct frames){0};
}

void frames_each_function(Dwarf_Die *function, void (*visit)(Dwarf_Die *origin, void *data),
                          void *data) {
  Dwarf_Die origin = die_origin(function), child;
  if (dwarf_tag(function) != DW_TAG_lexical_block) visit(&origin, data);
  for (int r = dwarf_child(function, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    int tag = dwarf_tag(&child);
    if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block)
      frames_each_function(&child, visit, data);
  }
}
