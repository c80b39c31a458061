#include "servers/storage/directory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "libsys/if/fs.h"
#include "servers/storage/map.h"
#include "servers/storage/name-cache.h"
#include "servers/storage/volume.h"

static int entry_type(uint32_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG:
    return EXT2_FT_REG_FILE;
  case S_IFDIR:
    return EXT2_FT_DIR;
  case S_IFLNK:
    return EXT2_FT_SYMLINK;
  case S_IFIFO:
    return EXT2_FT_FIFO;
  case S_IFSOCK:
    return EXT2_FT_SOCK;
  case S_IFCHR:
    return EXT2_FT_CHRDEV;
  case S_IFBLK:
    return EXT2_FT_BLKDEV;
  }
  return EXT2_FT_UNKNOWN;
}

static uint8_t posix_type(int type) {
  static const uint8_t types[EXT2_FT_MAX] = {
      [EXT2_FT_REG_FILE] = 8, [EXT2_FT_DIR] = 4,   [EXT2_FT_CHRDEV] = 2,  [EXT2_FT_BLKDEV] = 6,
      [EXT2_FT_FIFO] = 1,     [EXT2_FT_SOCK] = 12, [EXT2_FT_SYMLINK] = 10};
  return type >= 0 && type < EXT2_FT_MAX ? types[type] : 0;
}

static uint64_t searches;

uint64_t directory_searches(void) {
  return searches;
}

static int search(uint32_t dir, const char *name, uint32_t *ino) {
  ext2_ino_t found = 0;
  searches++;
  errcode_t error = ext2fs_lookup(volume_fs(), dir, name, (int)strlen(name), NULL, &found);
  *ino = error ? 0 : found;
  if (!error || error == EXT2_ET_FILE_NOT_FOUND) name_cache_put(dir, name, *ino);
  return volume_errno(error);
}

int directory_find(uint32_t dir, const char *name, uint32_t *ino) {
  if (!name_cache_find(dir, name, ino)) return search(dir, name, ino);
  return *ino ? 0 : -ENOENT;
}

/* The directory was changed: its inode too, by us or by libext2fs. @param ino  what the name means
 * now, if that was possible; 0: nothing */
static int end_change(struct node *dir, errcode_t error, const char *name, uint32_t ino) {
  int status = volume_errno(error), reloaded = node_reload(dir);
  if (error)
    name_cache_drop(dir->ino, name);
  else
    name_cache_put(dir->ino, name, ino);
  if (status || reloaded) return status ? status : reloaded;
  node_touch(dir, NODE_MODIFIED | NODE_CHANGED);
  return node_write(dir);
}

int directory_add(struct node *dir, const char *name, uint32_t ino, uint32_t mode) {
  ext2_filsys fs = volume_fs();
  errcode_t error = ext2fs_link(fs, dir->ino, name, ino, entry_type(mode));
  bool may_grow = !(dir->inode.i_flags & EXT2_INDEX_FL);
  if (error == EXT2_ET_DIR_NO_SPACE && may_grow) {
    error = ext2fs_expand_dir(fs, dir->ino);
    if (!error) error = ext2fs_link(fs, dir->ino, name, ino, entry_type(mode));
  }
  return end_change(dir, error, name, ino);
}

int directory_remove(struct node *dir, const char *name) {
  return end_change(dir, ext2fs_unlink(volume_fs(), dir->ino, name, 0, 0), name, 0);
}

/* ---- entries one by one ---- */

struct replacing {
  const char *name;
  uint32_t ino;
  int type;
  bool done;
};

static int replace_entry(struct ext2_dir_entry *entry, int offset, int blocksize, char *buffer,
                         void *arg) {
  struct replacing *r = arg;
  (void)offset;
  (void)blocksize;
  (void)buffer;
  size_t length = (size_t)ext2fs_dirent_name_len(entry);
  if (length != strlen(r->name) || memcmp(entry->name, r->name, length) != 0) return 0;
  entry->inode = r->ino;
  if (ext2fs_has_feature_filetype(volume_fs()->super)) ext2fs_dirent_set_file_type(entry, r->type);
  r->done = true;
  return DIRENT_CHANGED | DIRENT_ABORT;
}

int directory_replace(struct node *dir, const char *name, uint32_t ino, uint32_t mode) {
  struct replacing r = {.name = name, .ino = ino, .type = entry_type(mode)};
  errcode_t error = ext2fs_dir_iterate(volume_fs(), dir->ino, 0, NULL, replace_entry, &r);
  if (!error && !r.done) error = EXT2_ET_FILE_NOT_FOUND;
  return end_change(dir, error, name, ino);
}

static int note_entry(struct ext2_dir_entry *entry, int offset, int blocksize, char *buffer,
                      void *arg) {
  (void)offset;
  (void)blocksize;
  (void)buffer;
  int length = ext2fs_dirent_name_len(entry);
  bool itself = (length == 1 && entry->name[0] == '.') ||
                (length == 2 && entry->name[0] == '.' && entry->name[1] == '.');
  if (!itself) *(bool *)arg = true;
  return itself ? 0 : DIRENT_ABORT;
}

int directory_is_empty(uint32_t dir) {
  bool any = false;
  errcode_t error = ext2fs_dir_iterate(volume_fs(), dir, 0, NULL, note_entry, &any);
  return error ? volume_errno(error) : !any;
}

/* ---- listing ---- */

struct listing {
  uint64_t from;
  char *out;
  uint32_t used, max;
  bool full;
};

static void list_entry(struct listing *l, const struct ext2_dir_entry *e, uint64_t next) {
  uint32_t n = (uint32_t)ext2fs_dirent_name_len(e);
  uint32_t length = (uint32_t)(sizeof(struct fs_entry) + n + 7) & ~7u;
  if (!e->inode || n == 0 || l->full) return;
  l->full = length > l->max - l->used;
  if (l->full) return;
  struct fs_entry *f = (struct fs_entry *)(void *)(l->out + l->used);
  memset(f, 0, length);
  f->inode = e->inode;
  f->next = next;
  f->length = (uint16_t)length;
  f->type = posix_type(ext2fs_dirent_file_type(e));
  f->name_bytes = (uint8_t)n;
  memcpy(f->name, e->name, n);
  l->used += length;
}

/* A position is that of an entry, in bytes; one that no longer is an entry's is passed over. */
static int list_block(struct node *dir, struct listing *l, uint64_t block, char *buffer) {
  struct extent_run run;
  uint32_t size = volume_fs()->blocksize;
  int error = map_find(dir, block, &run);
  if (error || !run.block) return error;
  if (ext2fs_read_dir_block4(volume_fs(), run.block, buffer, 0, dir->ino)) return -EIO;
  for (uint32_t at = 0; at + 8 <= size && !l->full;) {
    const struct ext2_dir_entry *e = (const void *)(buffer + at);
    unsigned length = 0;
    if (ext2fs_get_rec_len(volume_fs(), (struct ext2_dir_entry *)e, &length) || length < 8) break;
    if (block * size + at >= l->from) list_entry(l, e, block * size + at + length);
    at += length;
  }
  return 0;
}

int directory_list(struct node *dir, uint64_t from, void *out, uint32_t max) {
  static char buffer[65536];
  struct listing l = {.from = from, .out = out, .max = max};
  uint32_t size = volume_fs()->blocksize;
  uint64_t blocks = node_bytes(dir) / size;
  for (uint64_t block = from / size; block < blocks && !l.full; block++) {
    int error = list_block(dir, &l, block, buffer);
    if (error) return error;
  }
  return l.full && !l.used ? -EINVAL : (int)l.used;
}
