#include "libst/fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libst/report.h"
#include "libst/st.h"
#include "libst/transfer.h"

struct fold {
  char general[256], first[256]; /* names of the data, and of the first one */
  const char *text;
  bool warning;
  unsigned count;
};

static struct fold *folds;
static size_t fold_count, fold_cap;

static struct fold *find(const char *general, const char *text) {
  for (size_t i = 0; i < fold_count; i++)
    if (folds[i].text == text && strcmp(folds[i].general, general) == 0) return &folds[i];
  return NULL;
}

static void count(struct transfer *t, const struct place *place, const char *text, bool warning) {
  char general[256];
  struct fold *f = find(place_general(t, place, general, sizeof(general)), text);
  if (f) {
    f->count++;
    return;
  }
  if (fold_count == fold_cap) {
    size_t cap = fold_cap ? 2 * fold_cap : 16;
    struct fold *grown = realloc(folds, cap * sizeof(*grown));
    if (!grown) return;
    folds = grown;
    fold_cap = cap;
  }
  f = &folds[fold_count++];
  *f = (struct fold){.text = text, .warning = warning, .count = 1};
  memcpy(f->general, general, sizeof(general));
  place_text(t, place, f->first, sizeof(f->first));
}

void fold_note(struct transfer *t, const struct place *place, const char *text) {
  if (!t->reverse) count(t, place, text, false);
}

void fold_warning(struct transfer *t, const struct place *place, const char *text) {
  if (t->reverse) return;
  if (t->report->strict)
    transfer_refuse(t, place, "%s", text);
  else
    count(t, place, text, true);
}

static void say(struct st_report *r, const struct fold *f) {
  void (*report)(struct st_report *, const char *, ...) = f->warning ? report_warning : report_note;
  if (f->count == 1)
    report(r, "`%s` %s", f->first, f->text);
  else
    report(r, "%s %s (%u times, the first is `%s`)", f->general, f->text, f->count, f->first);
}

void fold_report(struct transfer *t) {
  for (size_t i = 0; i < fold_count; i++)
    say(t->report, &folds[i]);
  free(folds);
  folds = NULL;
  fold_count = fold_cap = 0;
}
