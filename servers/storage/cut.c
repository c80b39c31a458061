#include "servers/storage/cut.h"

#include <errno.h>

#include "libst/fault.h"
#include "servers/storage/blocks.h"
#include "servers/storage/commit.h"
#include "servers/storage/disk.h"
#include "servers/storage/inbox.h"
#include "servers/storage/map.h"
#include "servers/storage/orphans.h"
#include "servers/storage/parked.h"
#include "servers/storage/volume.h"

enum {
  PIECE = 1024,          /* blocks that are freed in one turn */
  PARTS = 256,           /* in one turn, where few of them lie together */
  UNCOMMITTED = 1 << 15, /* so many freed blocks are committed before there are more */
  PAUSE_US = 1000,       /* others' turn */
};

static TAILQ_HEAD(, node) cuts = TAILQ_HEAD_INITIALIZER(cuts);

bool cut_is_under_way(void) {
  return !TAILQ_EMPTY(&cuts);
}

static uint64_t blocks_kept(const struct node *node) {
  uint32_t size = volume_fs()->blocksize;
  return (node_bytes(node) + size - 1) / size;
}

/* @return 1: there is more; 0; or a negative errno */
static int free_piece(struct node *node) {
  uint32_t begin = blocks_freed();
  int more = 1;
  if (!ext2fs_inode_has_valid_blocks2(volume_fs(), node_inode(node))) return 0;
  for (unsigned i = 0; more == 1 && i < PARTS && blocks_freed() - begin < PIECE; i++) {
    uint32_t before = blocks_freed();
    more = map_cut(node, blocks_kept(node), PIECE);
    if (more == 1 && blocks_freed() == before) return -EIO; /* it would never end */
  }
  return more;
}

static void enlist(struct node *node) {
  node->uses++;
  node->is_cut = true;
  TAILQ_INSERT_TAIL(&cuts, node, cutting);
  inbox_alarm(ALARM_CUT, PAUSE_US);
}

int cut_begin(struct node *node) {
  int more = free_piece(node);
  if (more <= 0) return more;
  int error = node->inode.i_links_count ? orphans_add(node) : node_write(node);
  if (error) return error;
  enlist(node);
  return 1;
}

void cut_again(struct node *node) {
  if (node->inode.i_links_count == 0) node_set_bytes(node, 0);
  enlist(node);
}

/* One that has no names any more stays an orphan, until nobody uses it. */
static int end(struct node *node) {
  int error = 0;
  TAILQ_REMOVE(&cuts, node, cutting);
  node->is_cut = false;
  if (node->inode.i_links_count) {
    error = orphans_leave(node);
    node->inode.i_dtime = 0;
    if (!error) error = node_write(node);
  }
  node_put(node);
  parked_wake();
  return error;
}

static void next_piece(void) {
  struct node *node = TAILQ_FIRST(&cuts);
  st_pass("storage.cut");
  int more = free_piece(node);
  if (more == 0) more = end(node);
  if (more < 0) volume_fail("a file's blocks cannot be freed");
}

static bool must_wait(void) {
  bool many = blocks_freed() >= UNCOMMITTED;
  if (many) commit_ask();
  return many || commit_is_behind();
}

static bool goes_on(void) {
  return cut_is_under_way() && !volume_may_write();
}

void cut_go_on(void) {
  if (goes_on() && !must_wait()) next_piece();
  if (goes_on()) inbox_alarm(ALARM_CUT, PAUSE_US);
}

void cut_all_wait(void) {
  while (goes_on()) {
    if (!must_wait()) {
      next_piece();
    } else {
      commit_turn_end();
      disk_poll();
    }
  }
}
