#include "servers/storage/names.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "servers/storage/channel.h"
#include "servers/storage/directory.h"
#include "servers/storage/remove.h"
#include "servers/storage/volume.h"

enum { LINKS_MAX = 65000 /* EXT4_LINK_MAX */ };

/* An operation that fails after it has begun leaves half of it in memory. */
static int end_change(int error) {
  if (channel_changes() && error && error != -ENOSPC) volume_fail("an operation failed half-way");
  return error;
}

static bool is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Something new can be put there by `who`: the directory. */
static int get_parent(const struct place *at, struct credentials who, struct node **dir) {
  int error = node_get(at->dir, dir);
  if (error) return error;
  if ((*dir)->inode.i_links_count == 0) error = -ENOENT;
  if (!error) error = path_may(*dir, who, FS_MAY_WRITE | FS_MAY_EXECUTE);
  if (error) node_put(*dir);
  return error;
}

/* ---- making ---- */

static void begin_inode(struct node *n, const struct node *dir, struct credentials who) {
  uint32_t group = dir->inode.i_mode & S_ISGID ? node_group(dir) : who.group;
  node_set_owner(n, who.user, group);
  if (dir->inode.i_mode & S_ISGID && S_ISDIR(n->inode.i_mode)) n->inode.i_mode |= S_ISGID;
  node_touch(n, NODE_ACCESSED | NODE_MODIFIED | NODE_CHANGED);
}

/* Extents begin with a header, which opening them makes. */
static errcode_t begin_extents(uint32_t ino, struct ext2_inode *inode) {
  ext2_extent_handle_t handle;
  if (!ext2fs_has_feature_extents(volume_fs()->super)) return 0;
  errcode_t error = ext2fs_extent_open2(volume_fs(), ino, inode, &handle);
  if (!error) ext2fs_extent_free(handle);
  return error;
}

static errcode_t new_inode(const struct node *dir, uint32_t mode, uint32_t *ino) {
  struct ext2_inode inode = {.i_mode = (uint16_t)mode, .i_links_count = 1};
  ext2_ino_t found;
  errcode_t error = ext2fs_new_inode(volume_fs(), dir->ino, (int)mode, NULL, &found);
  if (!error) error = begin_extents(found, &inode);
  if (!error) error = ext2fs_write_new_inode(volume_fs(), found, &inode);
  if (!error) ext2fs_inode_alloc_stats2(volume_fs(), found, +1, 0);
  *ino = found;
  return error;
}

static int finish_new(uint32_t ino, uint32_t mode, const struct node *dir, struct credentials who) {
  struct node *n;
  int error = node_get(ino, &n);
  if (error) return error;
  n->inode.i_mode = (uint16_t)mode;
  begin_inode(n, dir, who);
  error = node_write(n);
  node_put(n);
  return error;
}

/* Puts what was made under its name, or takes it back. */
static int put_name(struct node *dir, const struct place *at, uint32_t ino, uint32_t mode) {
  int error = directory_add(dir, at->name, ino, mode);
  struct node *n;
  if (!error || node_get(ino, &n)) return error;
  bool is_dir = S_ISDIR(mode);
  n->inode.i_links_count = 0;
  if (is_dir) {
    dir->inode.i_links_count--;
    node_write(dir);
  }
  node_put(n); /* removes it */
  return error;
}

int names_make_file(const struct place *at, struct credentials who, uint32_t mode, uint32_t *ino) {
  struct node *dir;
  if (at->ino) return -EEXIST;
  if (at->ends_with_slash) return -EISDIR;
  int error = get_parent(at, who, &dir);
  if (error) return error;
  error = volume_errno(new_inode(dir, mode, ino));
  if (!error) error = finish_new(*ino, mode, dir, who);
  if (!error) error = put_name(dir, at, *ino, mode);
  node_put(dir);
  return end_change(error);
}

static int make_dir(struct node *dir, const struct place *at, struct credentials who,
                    uint32_t mode) {
  ext2_ino_t ino;
  errcode_t failed = ext2fs_new_inode(volume_fs(), dir->ino, (int)mode, NULL, &ino);
  if (!failed) failed = ext2fs_mkdir(volume_fs(), dir->ino, ino, NULL);
  int error = volume_errno(failed);
  if (!error) error = node_reload(dir); /* it has one more link */
  if (!error) error = finish_new(ino, mode, dir, who);
  if (!error) error = put_name(dir, at, ino, mode);
  return error;
}

int names_make_dir(const struct place *at, struct credentials who, uint32_t mode) {
  struct node *dir;
  if (at->ino) return -EEXIST;
  int error = get_parent(at, who, &dir);
  if (error) return error;
  error = dir->inode.i_links_count >= LINKS_MAX ? -EMLINK
                                                : make_dir(dir, at, who, S_IFDIR | (mode & 07777));
  node_put(dir);
  return end_change(error);
}

static int make_link(struct node *dir, const struct place *at, struct credentials who,
                     const char *text) {
  ext2_ino_t ino;
  errcode_t failed = ext2fs_new_inode(volume_fs(), dir->ino, S_IFLNK | 0777, NULL, &ino);
  if (!failed) failed = ext2fs_symlink(volume_fs(), dir->ino, ino, NULL, text);
  int error = volume_errno(failed);
  if (!error) error = finish_new(ino, S_IFLNK | 0777, dir, who);
  if (!error) error = put_name(dir, at, ino, S_IFLNK);
  return error;
}

int names_make_link(const struct place *at, struct credentials who, const char *text) {
  struct node *dir;
  if (at->ino) return -EEXIST;
  if (at->ends_with_slash) return -ENOENT;
  if (strlen(text) >= volume_fs()->blocksize) return -ENAMETOOLONG;
  int error = get_parent(at, who, &dir);
  if (error) return error;
  error = make_link(dir, at, who, text);
  node_put(dir);
  return end_change(error);
}

/* ---- removing ---- */

static int check_kind(const struct node *n, bool directory) {
  bool is_directory = S_ISDIR(n->inode.i_mode);
  if (directory && !is_directory) return -ENOTDIR;
  if (!directory && is_directory) return -EISDIR;
  if (!directory) return 0;
  int empty = directory_is_empty(n->ino);
  return empty < 0 ? empty : empty ? 0 : -ENOTEMPTY;
}

/* One name fewer. Whoever has it open keeps it, in the list of orphans; else node_put() ends it. */
static int drop_link(struct node *n) {
  n->inode.i_links_count = S_ISDIR(n->inode.i_mode) ? 0 : n->inode.i_links_count - 1;
  node_touch(n, NODE_CHANGED);
  return n->inode.i_links_count == 0 ? remove_later(n) : node_write(n);
}

static int drop_parent_link(struct node *dir) {
  dir->inode.i_links_count--;
  return node_write(dir);
}

static int remove_name(struct node *dir, struct node *n, const struct place *at, bool directory) {
  int error = directory_remove(dir, at->name);
  if (!error) error = drop_link(n);
  if (!error && directory) error = drop_parent_link(dir);
  return error;
}

int names_remove(const struct place *at, struct credentials who, bool directory) {
  struct node *dir, *n;
  if (!at->ino) return -ENOENT;
  if (at->ino == ROOT_INO) return directory ? -EBUSY : -EISDIR;
  if (is_dots(at->name)) return directory && strcmp(at->name, ".") == 0 ? -EINVAL : -ENOTEMPTY;
  int error = node_get(at->dir, &dir);
  if (error) return error;
  error = node_get(at->ino, &n);
  if (!error) {
    error = path_may_remove(dir, n, who);
    if (!error && at->ends_with_slash && !directory) error = -ENOTDIR;
    if (!error) error = check_kind(n, directory);
    if (!error) error = remove_name(dir, n, at, directory);
    node_put(n);
  }
  node_put(dir);
  return end_change(error);
}

/* ---- linking ---- */

static int link_node(struct node *n, struct node *dir, const struct place *to) {
  if (S_ISDIR(n->inode.i_mode)) return -EPERM;
  if (n->inode.i_links_count == 0) return -ENOENT;
  if (n->inode.i_links_count >= LINKS_MAX) return -EMLINK;
  int error = directory_add(dir, to->name, n->ino, n->inode.i_mode);
  if (error) return error;
  n->inode.i_links_count++;
  node_touch(n, NODE_CHANGED);
  return node_write(n);
}

int names_link(const struct place *from, const struct place *to, struct credentials who) {
  struct node *dir, *n;
  if (!from->ino) return -ENOENT;
  if (to->ino) return -EEXIST;
  if (to->ends_with_slash) return -ENOENT;
  int error = get_parent(to, who, &dir);
  if (error) return error;
  error = node_get(from->ino, &n);
  if (!error) {
    error = link_node(n, dir, to);
    node_put(n);
  }
  node_put(dir);
  return end_change(error);
}

/* ---- renaming ---- */

struct renaming {
  const struct place *from, *to;
  struct node *from_dir, *to_dir, *moved, *replaced; /* replaced: may be NULL */
};

/* Whether a directory is `inside`, or above, another: by going up. */
static int is_inside(uint32_t dir, uint32_t of) {
  for (unsigned i = 0; i < UINT16_MAX; i++) {
    if (dir == of) return 1;
    if (dir == ROOT_INO) return 0;
    int error = directory_find(dir, "..", &dir);
    if (error) return error;
  }
  return -ELOOP;
}

static int check_replaced(const struct renaming *r) {
  bool is_directory = S_ISDIR(r->moved->inode.i_mode);
  if (!r->replaced) return 0;
  return check_kind(r->replaced, is_directory);
}

static int check_renaming(const struct renaming *r, struct credentials who) {
  bool is_directory = S_ISDIR(r->moved->inode.i_mode);
  int error = path_may_remove(r->from_dir, r->moved, who);
  if (!error) error = path_may(r->to_dir, who, FS_MAY_WRITE | FS_MAY_EXECUTE);
  if (!error && r->replaced) error = path_may_remove(r->to_dir, r->replaced, who);
  if (!error && r->to_dir->inode.i_links_count == 0) error = -ENOENT;
  if (!error && !is_directory && (r->from->ends_with_slash || r->to->ends_with_slash))
    error = -ENOTDIR;
  if (!error) error = check_replaced(r);
  if (error || !is_directory) return error;
  int inside = is_inside(r->to_dir->ino, r->moved->ino);
  if (inside) return inside < 0 ? inside : -EINVAL;
  bool one_more = r->to_dir != r->from_dir && !r->replaced;
  return one_more && r->to_dir->inode.i_links_count >= LINKS_MAX ? -EMLINK : 0;
}

/* A directory that has a new parent names it, and the parents count it. */
static int move_parent(const struct renaming *r) {
  int error = 0;
  if (r->to_dir != r->from_dir) {
    error = directory_replace(r->moved, "..", r->to_dir->ino, S_IFDIR);
    if (!error) error = drop_parent_link(r->from_dir);
    if (!error) r->to_dir->inode.i_links_count++;
    if (!error) error = node_write(r->to_dir);
  }
  if (!error && r->replaced) error = drop_parent_link(r->to_dir);
  return error;
}

static int move_name(const struct renaming *r) {
  uint32_t mode = r->moved->inode.i_mode;
  int error = r->replaced ? directory_replace(r->to_dir, r->to->name, r->moved->ino, mode)
                          : directory_add(r->to_dir, r->to->name, r->moved->ino, mode);
  if (error) return error;
  error = directory_remove(r->from_dir, r->from->name);
  if (!error && r->replaced) error = drop_link(r->replaced);
  if (!error && S_ISDIR(mode)) error = move_parent(r);
  if (error) return error == -ENOSPC ? -EIO : error;
  node_touch(r->moved, NODE_CHANGED);
  return node_write(r->moved);
}

static int get_all(struct renaming *r) {
  int error = node_get(r->from->dir, &r->from_dir);
  if (!error) error = node_get(r->to->dir, &r->to_dir);
  if (!error) error = node_get(r->from->ino, &r->moved);
  if (!error && r->to->ino) error = node_get(r->to->ino, &r->replaced);
  return error;
}

static void put_all(struct renaming *r) {
  struct node *all[] = {r->replaced, r->moved, r->to_dir, r->from_dir};
  for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
    if (all[i]) node_put(all[i]);
}

int names_rename(const struct place *from, const struct place *to, struct credentials who) {
  struct renaming r = {.from = from, .to = to};
  if (!from->ino) return -ENOENT;
  if (from->ino == ROOT_INO || to->ino == ROOT_INO) return -EBUSY;
  if (is_dots(from->name) || is_dots(to->name)) return -EINVAL;
  int error = get_all(&r);
  bool same = r.moved && r.moved == r.replaced; /* POSIX: nothing is to be done */
  if (!error && !same) error = check_renaming(&r, who);
  if (!error && !same) error = move_name(&r);
  put_all(&r);
  return end_change(error);
}
