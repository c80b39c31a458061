/* The manifest as state: libcyaml allocates in a library, where no type of a block is known. */
#include <stdlib.h>
#include <string.h>

#include "bus/manifest.h"

static bool complete; /* no copy has failed for want of memory */

static char *copy_text(const char *text) {
  if (!text) return NULL;
  char *copy = strdup(text);
  complete &= copy != NULL;
  return copy;
}

static char **copy_texts(char **texts, unsigned n) {
  char **copy = calloc(n + 1, sizeof(*copy));
  for (unsigned i = 0; copy && i < n; i++)
    copy[i] = copy_text(texts[i]);
  complete &= copy != NULL;
  return copy;
}

static struct manifest_call *copy_calls(const struct manifest_call *calls, unsigned n) {
  struct manifest_call *copy = calloc(n + 1, sizeof(*copy));
  for (unsigned i = 0; copy && i < n; i++) {
    copy[i] = calls[i];
    copy[i].to = copy_text(calls[i].to);
  }
  complete &= copy != NULL;
  return copy;
}

static struct manifest_region *copy_regions(const struct manifest_region *regions, unsigned n) {
  struct manifest_region *copy = calloc(n + 1, sizeof(*copy));
  for (unsigned i = 0; copy && i < n; i++) {
    copy[i] = regions[i];
    copy[i].name = copy_text(regions[i].name);
    copy[i].share = copy_texts(regions[i].share, regions[i].share_count);
  }
  complete &= copy != NULL;
  return copy;
}

static struct manifest_wire *copy_wires(const struct manifest_wire *wires, unsigned n) {
  struct manifest_wire *copy = calloc(n + 1, sizeof(*copy));
  for (unsigned i = 0; copy && i < n; i++) {
    copy[i] = wires[i];
    copy[i].name = copy_text(wires[i].name);
    copy[i].to = copy_text(wires[i].to);
    copy[i].forward = copy_text(wires[i].forward);
    copy[i].device = copy_text(wires[i].device);
    copy[i].path = copy_text(wires[i].path);
    copy[i].keyboard = copy_text(wires[i].keyboard);
  }
  complete &= copy != NULL;
  return copy;
}

static void copy_component(struct manifest_component *to, const struct manifest_component *from) {
  *to = *from;
  to->name = copy_text(from->name);
  to->file = copy_text(from->file);
  to->args = copy_texts(from->args, from->args_count);
  to->calls = copy_calls(from->calls, from->calls_count);
  to->sends = copy_texts(from->sends, from->sends_count);
  to->cpu = copy_text(from->cpu);
  to->syscalls = copy_texts(from->syscalls, from->syscalls_count);
  to->executable = copy_text(from->executable);
}

static struct manifest_component *copy_components(const struct manifest_component *components,
                                                  unsigned n) {
  struct manifest_component *copy = calloc(n + 1, sizeof(*copy));
  for (unsigned i = 0; copy && i < n; i++)
    copy_component(&copy[i], &components[i]);
  complete &= copy != NULL;
  return copy;
}

struct manifest *manifest_copy(const struct manifest *m) {
  struct manifest *copy = malloc(sizeof(*copy));
  if (!copy) return NULL;
  complete = true;
  *copy = *m;
  copy->cpu = copy_text(m->cpu);
  copy->root = copy_text(m->root);
  copy->updates.require_signature = copy_text(m->updates.require_signature);
  copy->path = copy_text(m->path);
  copy->regions = copy_regions(m->regions, m->regions_count);
  copy->wires = copy_wires(m->wires, m->wires_count);
  copy->programs.by = copy_text(m->programs.by);
  copy->programs.calls = copy_calls(m->programs.calls, m->programs.calls_count);
  copy->components = copy_components(m->components, m->components_count);
  return complete ? copy : NULL;
}

static void free_texts(char **texts, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    free(texts[i]);
  free(texts);
}

static void free_region(struct manifest_region *r) {
  free(r->name);
  free_texts(r->share, r->share_count);
}

static void free_wire(struct manifest_wire *w) {
  free(w->name);
  free(w->to);
  free(w->forward);
  free(w->device);
  free(w->path);
  free(w->keyboard);
}

static void free_calls(struct manifest_call *calls, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    free(calls[i].to);
  free(calls);
}

static void free_component(struct manifest_component *c) {
  free_calls(c->calls, c->calls_count);
  free_texts(c->args, c->args_count);
  free_texts(c->sends, c->sends_count);
  free_texts(c->syscalls, c->syscalls_count);
  free(c->name);
  free(c->file);
  free(c->cpu);
  free(c->executable);
}

void manifest_copy_free(struct manifest *m) {
  if (!m) return;
  for (unsigned i = 0; i < m->regions_count; i++)
    free_region(&m->regions[i]);
  for (unsigned i = 0; i < m->wires_count; i++)
    free_wire(&m->wires[i]);
  for (unsigned i = 0; i < m->components_count; i++)
    free_component(&m->components[i]);
  free(m->regions);
  free(m->wires);
  free(m->components);
  free_calls(m->programs.calls, m->programs.calls_count);
  free(m->programs.by);
  free(m->cpu);
  free(m->root);
  free(m->updates.require_signature);
  free(m->path);
  free(m);
}
