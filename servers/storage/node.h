/* Inodes that are in use: one copy of each, which is always what the cache has on its inode table's
 * page as well. */
#ifndef PROTEOS_STORAGE_NODE_H
#define PROTEOS_STORAGE_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <ext2fs/ext2fs.h>

/* Blocks of a file that follow each other on the disk, or a hole. */
struct extent_run {
  uint64_t first; /* of the file */
  uint64_t count; /* 0: not known */
  uint64_t block; /* on the disk; 0: a hole */
  bool unwritten; /* has blocks, but reads as zeroes */
};

struct node {
  LIST_ENTRY(node) bucket;
  TAILQ_ENTRY(node) cutting; /* is_cut */
  bool is_cut; /* blocks behind its end are being freed: it does not change meanwhile */
  uint32_t ino;
  uint32_t uses; /* node_get() without node_put() */
  struct ext2_inode_large inode;
  struct extent_run run; /* the one that was used last */
  uint64_t read_next;    /* block behind the one that was read last */
  uint64_t ahead_until;  /* up to here it was read ahead */
};

/** @return 0 or a negative errno */
int node_get(uint32_t ino, struct node **node);
/** Ends a use. With the last one of a file without names the file is removed, which may go on. */
void node_put(struct node *node);
/** The node of an inode that is in use, else NULL. */
struct node *node_find(uint32_t ino);
/** Writes the inode. @return 0 or a negative errno */
int node_write(struct node *node);
/** libext2fs has changed the inode. */
int node_reload(struct node *node);

uint64_t node_bytes(const struct node *node);
void node_set_bytes(struct node *node, uint64_t bytes);
uint32_t node_user(const struct node *node);
uint32_t node_group(const struct node *node);
void node_set_owner(struct node *node, uint32_t user, uint32_t group);

enum node_time { NODE_ACCESSED = 1, NODE_MODIFIED = 2, NODE_CHANGED = 4 };
int64_t node_time(const struct node *node, enum node_time which);
/** @param which  enum node_time, or-ed */
void node_set_time(struct node *node, unsigned which, int64_t ns);
/** Now. */
void node_touch(struct node *node, unsigned which);

/** The part that libext2fs's functions take. */
static inline struct ext2_inode *node_inode(struct node *node) {
  return (struct ext2_inode *)(void *)&node->inode;
}

#endif
