/* Cutting files: the blocks behind their ends are freed. Many take several turns, a piece in each,
 * with other requests between them. Until the last is free the file is an orphan, so that a crash
 * in the middle is mended by whoever mounts it next. */
#ifndef PROTEOS_STORAGE_CUT_H
#define PROTEOS_STORAGE_CUT_H

#include "servers/storage/node.h"

/** Frees what a file has behind its end. A file without names must be in the list of orphans if it
 * can be large.
 * @return 0: done; 1: it goes on, is_cut is set, and the file is in use meanwhile; or a negative
 * errno */
int cut_begin(struct node *node);
/** The same for one that was an orphan when the file system was mounted. Nothing is freed yet. */
void cut_again(struct node *node);
/** For the alarm: the next piece. */
void cut_go_on(void);
/** Whether any file is being cut: its blocks and inodes will be free. */
bool cut_is_under_way(void);
/** Ends all, for unmounting. */
void cut_all_wait(void);

#endif
