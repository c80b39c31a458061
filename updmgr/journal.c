#include "updmgr/journal.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/fault.h"
#include "libsys/kern.h"
#include "libsys/sys.h"
#include "proto/journal_file.h"

static int journal = -1;
static uint64_t last_number;

static void note_number(const Proteos__Transaction *t, void *arg) {
  (void)arg;
  if (t->number > last_number) last_number = t->number;
}

void journal_open(void) {
  journal = kern_journal();
  if (journal < 0) {
    sys_log("there is no journal (%s): updates are not recorded", sys_strerror(journal));
    return;
  }
  off_t whole = journal_file_read(journal, note_number, NULL);
  off_t all = lseek(journal, 0, SEEK_END);
  if (all == whole) return;
  sys_log("the journal ends in %lld bytes that are no record: they are cut off",
          (long long)(all - whole));
  if (ftruncate(journal, whole) < 0) sys_log("it cannot be cut: %s", strerror(errno));
}

uint64_t journal_next(void) {
  return ++last_number;
}

struct search {
  uint64_t id;
  Proteos__Transaction *found;
};

static void compare(const Proteos__Transaction *t, void *arg) {
  struct search *s = arg;
  if (t->id != s->id) return;
  if (s->found) proteos__transaction__free_unpacked(s->found, NULL);
  s->found = journal_copy(t);
}

Proteos__Transaction *journal_find(uint64_t id) {
  struct search s = {.id = id};
  if (journal >= 0) journal_file_read(journal, compare, &s);
  return s.found;
}

/* @return 0 or a negative errno; a part that got written is taken back */
static int append(const uint8_t *record, size_t bytes) {
  off_t end = lseek(journal, 0, SEEK_END);
  ssize_t n = write(journal, record, bytes);
  int error = n < 0 ? -errno : (size_t)n < bytes ? -ENOSPC : st_fault("um.journal", EIO);
  if (!error && fsync(journal) < 0) error = -errno;
  if (error && ftruncate(journal, end) < 0) return -errno;
  return error;
}

void journal_append(const Proteos__Transaction *t) {
  if (journal < 0) return;
  size_t bytes = proteos__transaction__get_packed_size(t);
  uint8_t *record = malloc(sizeof(uint32_t) + bytes);
  int error = record ? 0 : -ENOMEM;
  if (record) {
    uint32_t length = htole32((uint32_t)bytes);
    memcpy(record, &length, sizeof(length));
    proteos__transaction__pack(t, record + sizeof(length));
    error = append(record, sizeof(length) + bytes);
  }
  free(record);
  if (error)
    sys_log("transaction %llu is not in the journal: %s", (unsigned long long)t->number,
            sys_strerror(error));
}
