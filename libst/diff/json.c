#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libst/process.h"
#include "print.h"

enum { FORMAT = 1, TEXT = 160 };

/* Bytes of the UTF-8 character at `s`; 0 when it is none. */
static unsigned utf8_bytes(const unsigned char *s) {
  unsigned bytes = *s < 0x80                 ? 1
                   : *s >= 0xc2 && *s < 0xe0 ? 2
                   : *s >= 0xe0 && *s < 0xf0 ? 3
                   : *s >= 0xf0 && *s < 0xf5 ? 4
                                             : 0;
  for (unsigned i = 1; i < bytes; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  return bytes;
}

static void put_string(const char *text) {
  putchar('"');
  for (const unsigned char *s = (const void *)text; *s;) {
    unsigned bytes = utf8_bytes(s);
    if (bytes == 0) {
      printf("\\ufffd");
      s++;
    } else if (*s == '"' || *s == '\\') {
      printf("\\%c", *s++);
    } else if (*s < 0x20) {
      printf("\\u%04x", *s++);
    } else {
      fwrite(s, 1, bytes, stdout);
      s += bytes;
    }
  }
  putchar('"');
}

/* The separator and the key of the next member of an object; `first` for the first one. */
static void key(bool first, const char *name) {
  printf("%s\"%s\": ", first ? "" : ", ", name);
}

static void put_text(bool first, const char *name, const char *text) {
  key(first, name);
  if (text)
    put_string(text);
  else
    printf("null");
}

static void put_number(bool first, const char *name, uint64_t number) {
  key(first, name);
  printf("%" PRIu64, number);
}

static void put_bool(bool first, const char *name, bool value) {
  key(first, name);
  printf("%s", value ? "true" : "false");
}

/* What a list of records, one a line, has before its next one. */
static const char *next(size_t index) {
  return index ? ",\n  " : "\n  ";
}

static void put_version(const char *name, const char *path, const struct st_meta *meta) {
  char id[41];
  st_meta_build_id(meta, id);
  key(false, name);
  printf("{");
  put_text(true, "path", path);
  put_text(false, "component", st_meta_component(meta));
  put_text(false, "build_id", id);
  printf("}");
}

static void put_messages(const struct outcome *o, unsigned first, unsigned count, bool violations) {
  bool any = false;
  printf("[");
  for (unsigned i = first; i < first + count; i++) {
    if (o->messages[i].violation != violations) continue;
    if (any) printf(", ");
    any = true;
    put_string(o->messages[i].text);
  }
  printf("]");
}

static void put_conditions(const struct conditions *c) {
  key(false, "conditions");
  printf("[");
  for (size_t i = 0; i < c->count; i++) {
    printf(i ? ", {" : "{");
    put_text(true, "path", c->items[i].path);
    put_text(false, "must", c->items[i].must);
    put_text(false, "otherwise", c->items[i].refused ? "refused" : "dropped");
    printf("}");
  }
  printf("]");
}

static void put_refusal(const struct program *p) {
  key(false, "refusal");
  if (!p || !p->refusal) {
    printf("null");
    return;
  }
  printf("{");
  put_text(true, "path", p->refused);
  put_text(false, "text", p->refusal);
  printf("}");
}

static void put_side(const char *name, const struct st_meta *meta, const struct st_variable *v,
                     const char *called) {
  char type[TEXT];
  key(false, name);
  if (!v) {
    printf("null");
    return;
  }
  printf("{");
  put_text(true, "name", called);
  put_text(false, "file", st_meta_string(meta, v->file));
  put_text(false, "type", type_text(meta, v->type, type, sizeof(type)));
  put_number(false, "bytes", v->size);
  printf("}");
}

static void put_variable(const struct outcome *o, const struct variable_outcome *v) {
  static const char *const initial[] = {"same", "changed", "gained", "lost", "unknown"};
  const struct st_meta *meta = v->old ? o->plan.old : o->plan.new;
  const struct st_variable *any = v->old ? v->old : v->new;
  bool carried = v->fate == FATE_SAME || v->fate == FATE_FOLLOWED || v->fate == FATE_CONVERTED;
  printf("{");
  put_text(true, "name", st_meta_string(meta, any->name));
  put_text(false, "function", any->function ? st_meta_string(meta, any->function) : NULL);
  put_text(false, "fate", fate_name(v->fate));
  put_side("old", o->plan.old, v->old, v->old ? plan_former_name(&o->plan, v->old) : NULL);
  put_side("new", o->plan.new, v->new, v->new ? st_meta_string(o->plan.new, v->new->name) : NULL);
  put_text(false, "initialiser", carried ? initial[v->initial] : NULL);
  put_conditions(&v->conditions);
  key(false, "violations");
  put_messages(o, v->first_message, v->messages, true);
  key(false, "notes");
  put_messages(o, v->first_message, v->messages, false);
  printf("}");
}

static void put_member(const char *name, const struct st_meta *meta, const char *path,
                       const struct type_member *m) {
  char type[TEXT];
  key(false, name);
  if (!path) {
    printf("null");
    return;
  }
  printf("{");
  put_text(true, "name", path);
  put_text(false, "type", type_text(meta, m->type, type, sizeof(type)));
  put_number(false, "offset", m->bit / 8);
  put_number(false, "bit", m->bit % 8);
  put_number(false, "bits", m->bits);
  printf("}");
}

static void put_type(const struct outcome *o, const struct type_outcome *t) {
  printf("{");
  put_text(true, "name", t->name);
  put_text(false, "fate", fate_name(t->fate));
  put_number(false, "old_bytes", t->program->old_bytes);
  put_number(false, "new_bytes", t->program->new_bytes);
  put_refusal(t->program);
  key(false, "fields");
  printf("[");
  for (size_t i = 0; i < t->count; i++) {
    const struct field *f = &t->fields[i];
    printf("%s{", i ? "," : "");
    printf("\n    ");
    put_text(true, "fate", fate_name(f->fate));
    put_member("old", o->plan.old, f->old_name, &f->old);
    put_member("new", o->plan.new, f->new_name, &f->new);
    printf("}");
  }
  printf("]}");
}

static void put_block(const struct outcome *o, const struct block_outcome *b) {
  const struct st_meta *old = o->plan.old;
  char type[TEXT];
  printf("{");
  put_text(true, "file", st_meta_string(old, b->site->file));
  put_number(false, "line", b->site->line);
  put_number(false, "column", b->site->column);
  put_text(false, "function", st_meta_string(old, b->site->function));
  put_text(false, "type", b->type ? type_text(old, b->type, type, sizeof(type)) : NULL);
  put_text(false, "fate", fate_name(b->fate));
  put_number(false, "old_bytes", b->type ? type_bytes(old, b->type) : 0);
  put_number(false, "new_bytes", b->program ? b->program->new_bytes : 0);
  put_bool(false, "may_move", outcome_block_moves(b));
  put_refusal(b->program);
  put_conditions(&b->conditions);
  printf("}");
}

static void put_cost(const struct outcome *o) {
  const struct cost *c = &o->cost;
  size_t fates[FATES] = {0};
  for (size_t i = 0; i < o->block_count; i++)
    fates[o->blocks[i].fate]++;
  key(false, "cost");
  printf("{");
  put_number(true, "variables", c->variables);
  put_number(false, "variable_bytes", c->bytes);
  put_number(false, "variables_converted", c->converted);
  put_number(false, "variable_bytes_converted", c->converted_bytes);
  put_number(false, "pointers_in_variables", c->pointers);
  put_number(false, "sites_rewritten", fates[FATE_CONVERTED]);
  put_number(false, "sites_searched", fates[FATE_FOLLOWED] + fates[FATE_TRACED]);
  put_number(false, "sites_untouched", fates[FATE_SAME]);
  put_text(false, "depends_on_the_run", "number of heap blocks");
  printf("}");
}

void print_json(const struct outcome *o, const char *old_path, const char *new_path) {
  printf("{");
  put_number(true, "format", FORMAT);
  put_version("old", old_path, o->plan.old);
  put_version("new", new_path, o->plan.new);
  put_text(false, "result", o->needs_help ? "needs help" : "automatic");
  put_bool(false, "refused", o->refused);
  printf(",\n \"violations\": ");
  put_messages(o, 0, o->message_count, true);
  printf(",\n \"notes\": ");
  put_messages(o, 0, o->message_count, false);
  printf(",\n \"variables\": [");
  for (size_t i = 0; i < o->variable_count; i++) {
    printf("%s", next(i));
    put_variable(o, &o->variables[i]);
  }
  printf("],\n \"types\": [");
  for (size_t i = 0; i < o->type_count; i++) {
    printf("%s", next(i));
    put_type(o, &o->types[i]);
  }
  printf("],\n \"blocks\": [");
  for (size_t i = 0; i < o->block_count; i++) {
    printf("%s", next(i));
    put_block(o, &o->blocks[i]);
  }
  printf("],\n \"functions_gone\": [");
  for (size_t i = 0; i < o->gone_count; i++) {
    if (i) printf(", ");
    put_string(o->gone[i]);
  }
  printf("]");
  put_cost(o);
  printf("}\n");
}
