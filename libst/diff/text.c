#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "print.h"

enum { SIDE = 36, TEXT = 160 };

static void print_messages(const struct outcome *o, bool violations, const char *head) {
  bool any = false;
  for (size_t i = 0; i < o->message_count; i++) {
    if (o->messages[i].violation != violations) continue;
    if (!any) printf("\n%s\n", head);
    any = true;
    printf("  %s\n", o->messages[i].text);
  }
}

static void print_conditions(const char *name, const struct conditions *c) {
  for (size_t i = 0; i < c->count; i++)
    printf("      %s%s must %s, or %s\n", name, c->items[i].path, c->items[i].must,
           c->items[i].refused ? "the update is refused" : "it is dropped");
}

static const char *initial_text(enum initial_change change) {
  switch (change) {
  case INITIAL_CHANGED:
    return "; takes its new initial value if it still has the old one";
  case INITIAL_GAINED:
    return "; its new initial value is not taken";
  case INITIAL_UNKNOWN:
    return "; takes the new version's initial value if it still has the old one's";
  default:
    return "";
  }
}

static void print_variable(const struct outcome *o, const struct variable_outcome *v) {
  const struct st_meta *old = o->plan.old, *new = o->plan.new;
  char name[TEXT], from[TEXT], to[TEXT];
  if (v->old)
    plan_variable_text(old, v->old, name, sizeof(name));
  else
    plan_variable_text(new, v->new, name, sizeof(name));
  printf("  %-9s %s: ", fate_name(v->fate), name);
  if (v->old) printf("%s", type_text(old, v->old->type, from, sizeof(from)));
  if (v->new) type_text(new, v->new->type, to, sizeof(to));
  if (v->old && v->new && (strcmp(from, to) != 0 || v->old->size != v->new->size))
    printf(" (%" PRIu64 " bytes) -> %s (%" PRIu64 " bytes)", v->old->size, to, v->new->size);
  else if (!v->old)
    printf("%s", to);
  printf("%s\n", v->initial == INITIAL_UNKNOWN && v->fate != FATE_CONVERTED
                     ? ""
                     : initial_text(v->initial));
  print_conditions(name, &v->conditions);
}

static void print_variables(const struct outcome *o, bool all) {
  size_t hidden = 0;
  printf("\nvariables\n");
  for (size_t i = 0; i < o->variable_count; i++) {
    const struct variable_outcome *v = &o->variables[i];
    bool quiet = (v->fate == FATE_SAME || v->fate == FATE_FOLLOWED) &&
                 v->initial != INITIAL_CHANGED && v->initial != INITIAL_GAINED;
    if (quiet && !all)
      hidden++;
    else
      print_variable(o, v);
  }
  if (hidden)
    printf("  %zu more are carried over as they are, pointers to where things are then\n", hidden);
}

static void side(const struct st_meta *meta, const char *name, const struct type_member *m,
                 char *out, size_t cap) {
  char type[TEXT], at[32];
  if (!name) {
    snprintf(out, cap, "%6s", "-");
    return;
  }
  if (m->bits)
    snprintf(at, sizeof(at), "%u.%u:%u", m->bit / 8, m->bit % 8, m->bits);
  else
    snprintf(at, sizeof(at), "%u", m->bit / 8);
  snprintf(out, cap, "%6s %s: %s", at, name, type_text(meta, m->type, type, sizeof(type)));
}

static void print_type(const struct outcome *o, const struct type_outcome *t) {
  char left[2 * TEXT], right[2 * TEXT];
  printf("  %s, %u -> %u bytes: %s\n", t->name, t->program->old_bytes, t->program->new_bytes,
         fate_name(t->fate));
  if (t->program->refusal) printf("      `%s` %s\n", t->program->refused, t->program->refusal);
  for (size_t i = 0; i < t->count; i++) {
    const struct field *f = &t->fields[i];
    side(o->plan.old, f->old_name, &f->old, left, sizeof(left));
    side(o->plan.new, f->new_name, &f->new, right, sizeof(right));
    bool moved = f->old_name && f->new_name && f->old.bit != f->new.bit;
    const char *fate = f->fate == FATE_SAME || f->fate == FATE_FOLLOWED ? moved ? "moved" : ""
                                                                        : fate_name(f->fate);
    printf("  %-*s | %-*s%s%s\n", SIDE, left, *fate ? SIDE : 0, right, *fate ? " " : "", fate);
  }
}

static void print_types(const struct outcome *o, bool all) {
  bool any = false;
  for (size_t i = 0; i < o->type_count; i++) {
    const struct type_outcome *t = &o->types[i];
    if (!all && t->fate != FATE_CONVERTED && t->fate != FATE_REFUSED) continue;
    if (!any) printf("\ntypes (old | new)\n");
    any = true;
    print_type(o, t);
  }
}

static void print_block(const struct outcome *o, const struct block_outcome *b) {
  const struct st_meta *old = o->plan.old;
  char type[TEXT];
  printf("  %-9s %s from %s:%u in %s", fate_name(b->fate),
         b->type ? type_text(old, b->type, type, sizeof(type)) : "untyped",
         st_meta_string(old, b->site->file), b->site->line, st_meta_string(old, b->site->function));
  if (b->fate == FATE_CONVERTED)
    printf(": %u -> %u bytes each", b->program->old_bytes, b->program->new_bytes);
  if (b->fate == FATE_REFUSED) printf(": `%s` %s", b->program->refused, b->program->refusal);
  if (b->fate == FATE_TRACED)
    printf(": what its words may point to must neither move nor change%s",
           b->orphan ? "; the new version has no such type" : "");
  printf("\n");
  print_conditions(b->type ? "its " : "", &b->conditions);
}

static void print_blocks(const struct outcome *o, bool all) {
  bool any = false;
  for (size_t i = 0; i < o->block_count; i++) {
    const struct block_outcome *b = &o->blocks[i];
    if (!all && (b->fate == FATE_SAME || b->fate == FATE_FOLLOWED)) continue;
    if (!any) printf("\nheap blocks, should there be any\n");
    any = true;
    print_block(o, b);
  }
}

static void print_gone(const struct outcome *o) {
  if (o->gone_count == 0) return;
  printf("\nfunctions that the new version lacks; a pointer to one is refused when it is met\n ");
  for (size_t i = 0; i < o->gone_count; i++)
    printf(" %s", o->gone[i]);
  printf("\n");
}

static void print_cost(const struct outcome *o) {
  const struct cost *c = &o->cost;
  size_t fates[FATES] = {0};
  for (size_t i = 0; i < o->block_count; i++)
    fates[o->blocks[i].fate]++;
  printf("\ncost\n");
  printf("  known:  %zu variables (%zu bytes) are copied, %zu of them (%zu bytes) converted; "
         "%zu pointers are followed\n",
         c->variables, c->bytes, c->converted, c->converted_bytes, c->pointers);
  printf("  depends on the run: the heap. Blocks of %zu of %zu allocation sites are rewritten, of "
         "%zu searched for pointers,\n"
         "          of %zu not touched. How many blocks there are shows only in the running "
         "version;\n"
         "          each page with a rewritten block is copied, the others are shared.\n",
         fates[FATE_CONVERTED], o->block_count, fates[FATE_FOLLOWED] + fates[FATE_TRACED],
         fates[FATE_SAME]);
}

void print_text(const struct outcome *o, bool all) {
  printf("%s: %s\n", st_meta_component(o->plan.new),
         o->refused      ? "needs help: the update would be refused"
         : o->needs_help ? "needs help: the update would be refused if certain heap blocks exist"
                         : "automatic");
  print_messages(o, true, "needs help");
  print_messages(o, false, "notes");
  print_variables(o, all);
  print_types(o, all);
  print_blocks(o, all);
  print_gone(o);
  print_cost(o);
}
