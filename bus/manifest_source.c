#include "bus/manifest_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void manifest_source_open(struct manifest_source *s, const char *path, manifest_report_fn *report,
                          void *arg) {
  *s = (struct manifest_source){.path = path, .report = report, .arg = arg};
  yaml_parser_t parser;
  FILE *f = fopen(path, "re");
  if (!f) return;
  if (yaml_parser_initialize(&parser)) {
    yaml_parser_set_input_file(&parser, f);
    s->parsed = yaml_parser_load(&parser, &s->document);
    yaml_parser_delete(&parser);
  }
  fclose(f);
}

void manifest_source_close(struct manifest_source *s) {
  if (s->parsed) yaml_document_delete(&s->document);
  s->parsed = false;
}

/* ---- places ---- */

const char *manifest_place(const char *fmt, ...) {
  static char place[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(place, sizeof(place), fmt, ap);
  va_end(ap);
  return place;
}

static yaml_node_t *node(const struct manifest_source *s, int index) {
  return yaml_document_get_node((yaml_document_t *)(uintptr_t)&s->document, index);
}

static bool is_scalar(const yaml_node_t *n, const char *text, size_t len) {
  return n && n->type == YAML_SCALAR_NODE && n->data.scalar.length == len &&
         memcmp(n->data.scalar.value, text, len) == 0;
}

/* @param line  receives where the child begins: at its key, if it has one. */
static yaml_node_t *child(const struct manifest_source *s, const yaml_node_t *of, const char *name,
                          size_t len, unsigned *line) {
  yaml_node_t *found = NULL;
  if (of->type == YAML_MAPPING_NODE) {
    for (yaml_node_pair_t *p = of->data.mapping.pairs.start; p < of->data.mapping.pairs.top; p++) {
      yaml_node_t *key = node(s, p->key);
      if (!is_scalar(key, name, len)) continue;
      *line = (unsigned)key->start_mark.line + 1;
      return node(s, p->value);
    }
  } else if (of->type == YAML_SEQUENCE_NODE) {
    yaml_node_item_t *item = of->data.sequence.items.start + strtoul(name, NULL, 10);
    if (item < of->data.sequence.items.top) found = node(s, *item);
    if (found) *line = (unsigned)found->start_mark.line + 1;
  }
  return found;
}

/* @return what stands at the place, NULL when nothing does; line: of the nearest that exists */
static yaml_node_t *find(const struct manifest_source *s, const char *place, unsigned *line) {
  *line = 0;
  yaml_node_t *at =
      s->parsed ? yaml_document_get_root_node((yaml_document_t *)(uintptr_t)&s->document) : NULL;
  while (at && *place) {
    size_t len = strcspn(place, "/");
    at = child(s, at, place, len, line);
    place += len + (place[len] == '/');
  }
  return at;
}

bool manifest_says_zero(const struct manifest_source *s, const char *place) {
  unsigned line;
  return is_scalar(find(s, place, &line), "0", 1);
}

/* ---- problems ---- */

static void report(struct manifest_source *s, unsigned line, const char *fmt, va_list ap) {
  char text[1400], where[32] = "";
  if (line) snprintf(where, sizeof(where), "line %u: ", line);
  int n = snprintf(text, sizeof(text), "%.512s: %s", s->path, where);
  vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
  s->problems++;
  s->report(s->arg, text);
}

void manifest_problem_at(struct manifest_source *s, unsigned line, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  report(s, line, fmt, ap);
  va_end(ap);
}

void manifest_problem(struct manifest_source *s, const char *place, const char *fmt, ...) {
  unsigned line;
  va_list ap;
  find(s, place, &line);
  va_start(ap, fmt);
  report(s, line, fmt, ap);
  va_end(ap);
}

/* ---- keys ---- */

static const cyaml_schema_field_t *field(const cyaml_schema_value_t *mapping,
                                         const yaml_node_t *n) {
  for (const cyaml_schema_field_t *f = mapping->mapping.fields; f->key; f++)
    if (is_scalar(n, f->key, strlen(f->key))) return f;
  return NULL;
}

static void check_keys(struct manifest_source *s, const yaml_node_t *n,
                       const cyaml_schema_value_t *schema) {
  if (!n) return;
  if (schema->type == CYAML_MAPPING && n->type == YAML_MAPPING_NODE) {
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
      const yaml_node_t *key = node(s, p->key);
      const cyaml_schema_field_t *f = field(schema, key);
      if (f)
        check_keys(s, node(s, p->value), &f->value);
      else if (key->type == YAML_SCALAR_NODE)
        manifest_problem_at(s, (unsigned)key->start_mark.line + 1, "unknown key '%.64s'",
                            (const char *)key->data.scalar.value);
    }
  } else if (schema->type == CYAML_SEQUENCE && n->type == YAML_SEQUENCE_NODE) {
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
      check_keys(s, node(s, *i), schema->sequence.entry);
  }
}

void manifest_check_keys(struct manifest_source *s, const cyaml_schema_value_t *schema) {
  unsigned line;
  check_keys(s, find(s, "", &line), schema);
}
