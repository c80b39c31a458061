/* Which source file of the new version is which of the old one. Files may be renamed, and whole
 * trees lie elsewhere; what they define tells then. */
#ifndef LIBST_FILE_PAIR_H
#define LIBST_FILE_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "libst/meta.h"

struct file_pairs {
  uint32_t *old, *new; /* strings: the files of each version */
  uint32_t *to, *from; /* by those: index of the counterpart + 1, or 0 */
  uint32_t old_count, new_count;
};

/** Pairs the files of variables and functions. @return false without memory */
bool file_pairs_find(struct file_pairs *files, const struct st_meta *old,
                     const struct st_meta *new);
void file_pairs_free(struct file_pairs *files);
/** Is one file of the old version that of the new one? */
bool file_pairs_same(const struct file_pairs *files, uint32_t old_file, uint32_t new_file);
/** May what was in one be in the other now? Not when both versions have both. */
bool file_pairs_may_move(const struct file_pairs *files, uint32_t old_file, uint32_t new_file);

#endif
