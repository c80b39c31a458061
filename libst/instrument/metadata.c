#include "metadata.h"
#include "array.h"
#include "libst/annotation.h"
#include "libst/meta.h"
#include "libst/meta_pack.h"

#include <search.h>
#include <string.h>

/* One string of the table; in a search tree by text. */
struct string {
  const char *text;
  uint32_t offset;
};

struct section {
  ARRAY(char) bytes;
  ARRAY(char) strings;
  void *tree;
};

static void put(struct section *s, const void *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    *array_add(&s->bytes) = ((const char *)data)[i];
}

static struct st_table put_table(struct section *s, const void *data, uint32_t count,
                                 size_t record) {
  while (s->bytes.count % 8)
    *array_add(&s->bytes) = 0;
  struct st_table table = {.offset = s->bytes.count, .count = count};
  put(s, data, count * record);
  return table;
}

static int by_text(const void *a, const void *b) {
  return strcmp(((const struct string *)a)->text, ((const struct string *)b)->text);
}

static uint32_t string(struct section *s, const char *text) {
  if (!*text) return 0;
  struct string *fresh = malloc(sizeof *fresh);
  if (!fresh) fail("out of memory");
  fresh->text = text;
  fresh->offset = s->strings.count;
  struct string **found = tsearch(fresh, &s->tree, by_text);
  if (!found) fail("out of memory");
  if (*found != fresh) {
    free(fresh);
    return (*found)->offset;
  }
  do
    *array_add(&s->strings) = *text;
  while (*text++);
  return fresh->offset;
}

static struct st_table put_variables(struct section *s, const struct metadata_input *in) {
  size_t count = in->objects->variables.count;
  struct st_variable *records = calloc(count + 1, sizeof *records);
  if (!records) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    const struct object_variable *v = &in->objects->variables.items[i];
    records[i] = (struct st_variable){.name = string(s, v->name),
                                      .file = string(s, v->file),
                                      .function = string(s, v->function),
                                      .type = types_number(in->types, v->type),
                                      .address = v->address,
                                      .size = v->size,
                                      .flags = v->flags,
                                      .note = string(s, v->note),
                                      .nth = v->nth,
                                      .of = v->of};
  }
  struct st_table table = put_table(s, records, count, sizeof *records);
  free(records);
  return table;
}

static struct st_table put_functions(struct section *s, const struct metadata_input *in) {
  size_t count = in->objects->functions.count;
  struct st_function *records = calloc(count + 1, sizeof *records);
  if (!records) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    const struct object_function *f = &in->objects->functions.items[i];
    records[i] = (struct st_function){.name = string(s, f->name),
                                      .file = string(s, f->file),
                                      .address = f->address,
                                      .size = f->size,
                                      .flags = f->flags};
  }
  struct st_table table = put_table(s, records, count, sizeof *records);
  free(records);
  return table;
}

static struct st_table put_sites(struct section *s, const struct metadata_input *in) {
  size_t count = in->sites->items.count;
  struct st_site *records = calloc(count + 1, sizeof *records);
  if (!records) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    const struct site *site = &in->sites->items.items[i];
    records[i] = (struct st_site){.file = string(s, site->file),
                                  .function = string(s, site->function),
                                  .line = site->line,
                                  .column = site->column,
                                  .type = types_number(in->types, site->type),
                                  .flags = (site->flexible ? ST_SITE_FLEXIBLE : 0) |
                                           (site->unsized ? ST_SITE_UNSIZED : 0) |
                                           (site->caller ? ST_SITE_CALLER : 0)};
  }
  struct st_table table = put_table(s, records, count, sizeof *records);
  free(records);
  return table;
}

static struct st_table put_site_ranges(struct section *s, const struct metadata_input *in) {
  size_t count = in->sites->ranges.count;
  struct st_site_range *records = calloc(count + 1, sizeof *records);
  if (!records) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    const struct site_range *range = &in->sites->ranges.items[i];
    records[i] = (struct st_site_range){.lo = range->lo, .hi = range->hi, .site = range->site};
  }
  struct st_table table = put_table(s, records, count, sizeof *records);
  free(records);
  return table;
}

static struct st_table put_libraries(struct section *s, const struct metadata_input *in) {
  ARRAY(uint32_t) names = {0};
  for (const char *const *l = in->libraries; *l; l++)
    *array_add(&names) = string(s, *l);
  struct st_table table = put_table(s, names.items, names.count, sizeof *names.items);
  free(names.items);
  return table;
}

static struct st_table put_annotations(struct section *s, const struct metadata_input *in) {
  size_t count = in->annotations->items.count;
  struct st_annotation *records = calloc(count + 1, sizeof *records);
  if (!records) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    const struct annotation *a = &in->annotations->items.items[i];
    records[i] = (struct st_annotation){.kind = a->kind,
                                        .target = a->target,
                                        .type = types_number(in->types, a->type),
                                        .scope = string(s, a->scope),
                                        .name = string(s, a->name),
                                        .argument = string(s, a->argument),
                                        .operand = types_number(in->types, a->operand),
                                        .unit = string(s, a->unit),
                                        .file = string(s, a->file),
                                        .line = a->line};
  }
  struct st_table table = put_table(s, records, count, sizeof *records);
  free(records);
  return table;
}

/* Applies the annotations as an update will, which finds what is wrong with them, and keeps what
 * they say of allocations: these need their types at run time. */
static void check_annotations(struct section *s, const struct st_meta_header *header) {
  char error[1024];
  struct st_meta *m = st_meta_read(s->bytes.items, s->bytes.count, error, sizeof error);
  if (!m || annotations_apply(m, error, sizeof error) < 0) fail("%s", error);
  if (header->sites.count)
    memcpy(s->bytes.items + header->sites.offset, m->sites, header->sites.count * sizeof *m->sites);
  st_meta_close(m);
}

void *metadata_build(const struct metadata_input *input, size_t *bytes) {
  struct section s = {0};
  struct st_meta_header header = {.magic = ST_META_MAGIC, .version = ST_META_VERSION};
  memcpy(header.build_id, input->exe->build_id, sizeof header.build_id);
  *array_add(&s.strings) = '\0';
  put(&s, &header, sizeof header);

  uint32_t blob_bytes;
  const void *blob = types_finish(input->types, &blob_bytes);
  types_verify(input->types, blob, blob_bytes);
  header.btf = put_table(&s, blob, blob_bytes, 1);
  header.component = string(&s, input->component);
  header.variables = put_variables(&s, input);
  header.functions = put_functions(&s, input);
  header.sites = put_sites(&s, input);
  header.site_ranges = put_site_ranges(&s, input);
  header.libraries = put_libraries(&s, input);
  header.annotations = put_annotations(&s, input);
  header.strings = put_table(&s, s.strings.items, s.strings.count, 1);
  header.bytes = s.bytes.count;
  memcpy(s.bytes.items, &header, sizeof header);

  if (header.annotations.count) check_annotations(&s, &header);
  void *packed = st_meta_pack(s.bytes.items, s.bytes.count, bytes);
  if (!packed) fail("out of memory");
  tdestroy(s.tree, free);
  free(s.strings.items);
  free(s.bytes.items);
  return packed;
}
