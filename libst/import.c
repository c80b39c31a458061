/* The new version's side of a transfer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libst/arena.h"
#include "libst/check.h"
#include "libst/fault.h"
#include "libst/fold.h"
#include "libst/import.h"
#include "libst/keep.h"
#include "libst/mapping.h"
#include "libst/old_memory.h"
#include "libst/options.h"
#include "libst/plan.h"
#include "libst/process.h"
#include "libst/proof.h"
#include "libst/reader.h"
#include "libst/relocate.h"
#include "libst/report.h"
#include "libst/site.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/writeback.h"

static struct plan plan;
static struct transfer transfer;
static struct st_options *options; /* of the update in progress */
static bool prepared;              /* st_import_prepare() has succeeded */

static void begin_report(struct st_report *report) {
  memset(report, 0, offsetof(struct st_report, text) + 1);
  report->strict = options && options->strict;
}

int st_plan(int old_exe_fd, const struct st_options *wanted, struct st_report *report) {
  st_options_free(options);
  options = options_copy(wanted);
  begin_report(report);
  if (!st_process.meta || !options) return options ? -EINVAL : -ENOMEM;
  int err = st_fault("plan.make", ENOMEM);
  if (!err) err = plan_make(&plan, old_exe_fd, report);
  if (!err) err = checks_plan(options, &plan, report);
  if (!err && report->violations) err = -EINVAL;
  if (err) plan_free(&plan);
  return err;
}

/* Variables will be written all at once: their page faults are cheaper now. */
static void prefault(void) {
  const struct image *exe = &st_process.images.image[0];
  for (unsigned s = 0; s < exe->segment_count; s++) {
    uintptr_t start = exe->segments[s].address & -ARENA_PAGE;
    size_t bytes = exe->segments[s].address + exe->segments[s].bytes - start;
    if (bytes <= 4 << 20)
      madvise((void *)start, (bytes + ARENA_PAGE - 1) & -ARENA_PAGE, MADV_POPULATE_WRITE);
  }
}

int st_import_prepare(int channel, struct st_report *report) {
  begin_report(report);
  if (!plan.old) return -EINVAL;
  transfer = (struct transfer){.plan = &plan,
                               .report = report,
                               .relocate = options && options->relocate,
                               .validate = options && options->validate};
  int err = st_fault("import.prelude", ENOMEM);
  if (!err) err = reader_begin(&transfer, channel);
  if (!err && transfer.kept) err = keep_check(&transfer);
  if (!err) err = transfer_prepare(&transfer);
  if (!err) err = proof_prepare(plan.new);
  if (err) return err;
  prefault();
  prepared = true;
  return 0;
}

int st_import(int channel, struct st_report *report) {
  int err = prepared ? 0 : st_import_prepare(channel, report);
  if (err) return err;
  begin_report(report);
  transfer.report = report;
  err = st_fault("import.header", ENOMEM);
  if (!err) err = reader_header(&transfer);
  if (!err && transfer.kept) keep_complete(&transfer);
  if (!err) err = checks_before(&transfer);
  if (!err) err = st_fault("import.descriptors", EMFILE);
  if (!err) err = reader_descriptors_check();
  if (err) return err;
  arena_start(false);
  err = transfer_run(&transfer);
  if (!err) err = st_fault("import.run", ENOMEM);
  fold_report(&transfer);
  if (err == -ENOMEM)
    report_violation(report,
                     "there is too little memory for the new version's state; allow it more");
  if (err) return err;
  proof_run(report);
  if (report->violations) return -EINVAL;
  sites_start(&st_process.images, st_process.meta);
  return 0;
}

int st_check(struct st_report *report) {
  if (!plan.old) return -EINVAL;
  int err = st_fault("import.check", EINVAL);
  if (err) return err;
  checks_after(&transfer, report);
  return report->violations ? -EINVAL : 0;
}

bool import_pointer(uint64_t *pointer, const char *name) {
  unsigned before = transfer.report->violations;
  struct place place = {.text = name, .index = -1};
  *pointer = pointer_follow(&transfer, *pointer, &pointed_any, &place);
  return transfer.report->violations == before;
}

/* ---- after commit ---- */

int st_commit(void) {
  int err = st_fault("commit.descriptors", EMFILE);
  if (!err) err = reader_descriptors();
  int map_err = mappings_commit();
  writeback_begin();
  return err ? err : map_err;
}

void import_release(void) {
  prepared = false;
  transfer_free(&transfer);
  plan_free(&plan);
  proof_free();
  checks_free();
  old_memory_close();
  relocate_free();
  st_options_free(options);
  options = NULL;
}
