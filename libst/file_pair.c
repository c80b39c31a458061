#include "libst/file_pair.h"

#include <stdlib.h>
#include <string.h>

/* ---- the files of one version ---- */

static void add(uint32_t *files, uint32_t *count, uint32_t file) {
  for (uint32_t i = 0; i < *count; i++)
    if (files[i] == file) return;
  files[(*count)++] = file;
}

static uint32_t *files_of(const struct st_meta *m, uint32_t *count) {
  const struct st_meta_header *h = m->header;
  uint32_t *files = calloc((size_t)h->variables.count + h->functions.count + 1, sizeof(*files));
  for (uint32_t i = 0; files && i < h->functions.count; i++)
    add(files, count, m->functions[i].file);
  for (uint32_t i = 0; files && i < h->variables.count; i++)
    add(files, count, m->variables[i].file);
  return files;
}

static uint32_t index_of(const uint32_t *files, uint32_t count, uint32_t file) {
  uint32_t i = 0;
  while (i < count && files[i] != file)
    i++;
  return i;
}

/* ---- by name ---- */

/* How many of their last parts two paths share; more than any when they are equal. */
static unsigned common_parts(const char *a, const char *b) {
  if (strcmp(a, b) == 0) return ~0u;
  size_t i = strlen(a), k = strlen(b);
  unsigned parts = 0;
  while (i > 0 && k > 0 && a[i - 1] == b[k - 1]) {
    i--, k--;
    if (a[i] == '/') parts++;
  }
  bool whole = (i == 0 && b[k - 1] == '/') || (k == 0 && a[i - 1] == '/');
  return parts + whole;
}

/* The one of `files` that agrees best with a path; `count` when none does, or several equally. */
static uint32_t best_of(const struct st_meta *m, const uint32_t *files, uint32_t count,
                        const char *path) {
  unsigned most = 0;
  uint32_t best = count;
  for (uint32_t i = 0; i < count; i++) {
    unsigned parts = common_parts(st_meta_string(m, files[i]), path);
    if (parts == most) best = count;
    if (parts <= most) continue;
    most = parts;
    best = i;
  }
  return best;
}

static void pair_by_name(struct file_pairs *f, const struct st_meta *old,
                         const struct st_meta *new) {
  for (uint32_t i = 0; i < f->old_count; i++) {
    uint32_t n = best_of(new, f->new, f->new_count, st_meta_string(old, f->old[i]));
    if (n == f->new_count ||
        best_of(old, f->old, f->old_count, st_meta_string(new, f->new[n])) != i)
      continue;
    f->to[i] = n + 1;
    f->from[n] = i + 1;
  }
}

/* ---- by what they define ---- */

struct global {
  const char *name;
  uint32_t file;
};

static bool global_at(const struct st_meta *m, uint32_t i, struct global *out) {
  const struct st_meta_header *h = m->header;
  if (i < h->functions.count) {
    const struct st_function *f = &m->functions[i];
    *out = (struct global){st_meta_string(m, f->name), f->file};
    return !(f->flags & ST_FUNC_STATIC);
  }
  const struct st_variable *v = &m->variables[i - h->functions.count];
  *out = (struct global){st_meta_string(m, v->name), v->file};
  return !(v->flags & ST_VAR_STATIC);
}

static uint32_t globals(const struct st_meta *m) {
  return m->header->functions.count + m->header->variables.count;
}

static bool find_global(const struct st_meta *m, const char *name, struct global *out) {
  for (uint32_t i = 0; i < globals(m); i++)
    if (global_at(m, i, out) && strcmp(out->name, name) == 0) return true;
  return false;
}

enum { SEVERAL = UINT32_MAX };

static void vote(uint32_t *votes, uint32_t for_whom) {
  *votes = *votes == 0 || *votes == for_whom ? for_whom : SEVERAL;
}

/* Two files without a counterpart are one that was renamed, when all globals of theirs that both
 * versions have went from the one to the other. */
static void pair_by_globals(struct file_pairs *f, const struct st_meta *old,
                            const struct st_meta *new, uint32_t *to, uint32_t *from) {
  struct global o, n;
  for (uint32_t i = 0; i < globals(old); i++) {
    if (!global_at(old, i, &o)) continue;
    uint32_t a = index_of(f->old, f->old_count, o.file);
    if (f->to[a] || !find_global(new, o.name, &n)) continue;
    uint32_t b = index_of(f->new, f->new_count, n.file);
    vote(&to[a], b + 1);
    vote(&from[b], a + 1);
  }
  for (uint32_t a = 0; a < f->old_count; a++) {
    if (f->to[a] || !to[a] || to[a] == SEVERAL) continue;
    uint32_t b = to[a] - 1;
    if (f->from[b] || from[b] != a + 1) continue;
    f->to[a] = b + 1;
    f->from[b] = a + 1;
  }
}

bool file_pairs_find(struct file_pairs *f, const struct st_meta *old, const struct st_meta *new) {
  f->old = files_of(old, &f->old_count);
  f->new = files_of(new, &f->new_count);
  f->to = calloc(f->old_count + 1, sizeof(*f->to));
  f->from = calloc(f->new_count + 1, sizeof(*f->from));
  uint32_t *to = calloc(f->old_count + 1, sizeof(*to));
  uint32_t *from = calloc(f->new_count + 1, sizeof(*from));
  bool good = f->old && f->new && f->to && f->from &&to &&from;
  if (good) {
    pair_by_name(f, old, new);
    pair_by_globals(f, old, new, to, from);
  }
  free(to);
  free(from);
  return good;
}

void file_pairs_free(struct file_pairs *f) {
  free(f->old);
  free(f->new);
  free(f->to);
  free(f->from);
  *f = (struct file_pairs){0};
}

bool file_pairs_same(const struct file_pairs *f, uint32_t old_file, uint32_t new_file) {
  uint32_t i = index_of(f->old, f->old_count, old_file);
  return i < f->old_count && f->to[i] && f->new[f->to[i] - 1] == new_file;
}

bool file_pairs_may_move(const struct file_pairs *f, uint32_t old_file, uint32_t new_file) {
  uint32_t i = index_of(f->old, f->old_count, old_file);
  uint32_t k = index_of(f->new, f->new_count, new_file);
  return i == f->old_count || k == f->new_count || !f->to[i] || !f->from[k];
}
