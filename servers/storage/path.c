#include "servers/storage/path.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "servers/storage/cache.h"
#include "servers/storage/directory.h"
#include "servers/storage/disk.h"
#include "servers/storage/map.h"
#include "servers/storage/volume.h"

/* ---- permissions (POSIX, 4.7 File Access Permissions) ---- */

int path_may(const struct node *node, struct credentials who, unsigned how) {
  uint32_t mode = node->inode.i_mode;
  bool executable = S_ISDIR(mode) || mode & 0111;
  if (who.user == 0) return how & FS_MAY_EXECUTE && !executable ? -EACCES : 0;
  unsigned bits = who.user == node_user(node)     ? mode >> 6
                  : who.group == node_group(node) ? mode >> 3
                                                  : mode;
  return (bits & how) == how ? 0 : -EACCES;
}

int path_may_remove(const struct node *dir, const struct node *node, struct credentials who) {
  int error = path_may(dir, who, FS_MAY_WRITE | FS_MAY_EXECUTE);
  bool sticky = dir->inode.i_mode & S_ISVTX;
  if (error || who.user == 0 || !sticky) return error;
  return who.user == node_user(node) || who.user == node_user(dir) ? 0 : -EPERM;
}

/* ---- payloads ---- */

static int set_path(struct path *p, const char *text, uint32_t length) {
  p->text = text;
  p->length = length;
  if (length == 0) return -ENOENT;
  return length > FS_PATH_MAX ? -ENAMETOOLONG : 0;
}

int path_split(const void *payload, uint32_t bytes, unsigned count, struct path *paths) {
  const char *text = payload, *nul = bytes ? memchr(text, 0, bytes) : NULL;
  if (count == 1) return nul ? -EINVAL : set_path(&paths[0], text, bytes);
  if (!nul) return -EINVAL;
  uint32_t first = (uint32_t)(nul - text), second = bytes - first - 1;
  if (second && memchr(nul + 1, 0, second)) return -EINVAL;
  int error = set_path(&paths[0], text, first);
  return error ? error : set_path(&paths[1], nul + 1, second);
}

/* ---- links ---- */

int path_read_link(struct node *node, char *out, uint32_t max) {
  uint64_t bytes = node_bytes(node);
  uint32_t n = bytes < max ? (uint32_t)bytes : max;
  struct extent_run run;
  if (!S_ISLNK(node->inode.i_mode)) return -EINVAL;
  if (ext2fs_is_fast_symlink(node_inode(node))) {
    memcpy(out, node->inode.i_block, n);
    return (int)n;
  }
  if (bytes > disk_block_bytes()) return -EIO;
  int error = map_find(node, 0, &run);
  const char *text = error || !run.block ? NULL : cache_read_wait(run.block);
  if (!text) return -EIO;
  memcpy(out, text, n);
  return (int)n;
}

/* ---- the way ---- */

/* What of the path is left; links put what they say before it. */
struct way {
  char text[2 * FS_PATH_MAX + 2];
  uint32_t at, length;
  unsigned links;
};

static int take_name(struct way *w, char *name) {
  while (w->at < w->length && w->text[w->at] == '/')
    w->at++;
  uint32_t end = w->at;
  while (end < w->length && w->text[end] != '/')
    end++;
  uint32_t n = end - w->at;
  if (n > FS_NAME_MAX) return -ENAMETOOLONG;
  memcpy(name, w->text + w->at, n);
  name[n] = 0;
  w->at = end;
  return (int)n;
}

static bool is_last(const struct way *w) {
  uint32_t at = w->at;
  while (at < w->length && w->text[at] == '/')
    at++;
  return at == w->length;
}

static int put_link_before(struct way *w, struct node *link) {
  char said[FS_PATH_MAX + 1];
  uint32_t rest = w->length - w->at;
  if (++w->links > FS_LINKS_MAX) return -ELOOP;
  int n = path_read_link(link, said, sizeof said);
  if (n < 0) return n;
  if (n == 0) return -ENOENT;
  if ((uint32_t)n > FS_PATH_MAX || (uint32_t)n + rest > sizeof w->text) return -ENAMETOOLONG;
  memmove(w->text + n, w->text + w->at, rest);
  memcpy(w->text, said, (uint32_t)n);
  w->at = 0;
  w->length = (uint32_t)n + rest;
  return 0;
}

static int look_up(uint32_t dir, struct credentials who, const char *name, uint32_t *ino) {
  struct node *node;
  *ino = 0;
  int error = node_get(dir, &node);
  if (error) return error;
  if (!S_ISDIR(node->inode.i_mode)) error = -ENOTDIR;
  if (!error && node->inode.i_links_count == 0) error = -ENOENT;
  if (!error) error = path_may(node, who, FS_MAY_EXECUTE);
  if (!error) error = directory_find(dir, name, ino);
  node_put(node);
  return error;
}

/* @return 1: it is a link, whose path is to be gone along now; 0; or a negative errno */
static int follow_link(struct way *w, uint32_t ino, bool follow) {
  struct node *node;
  int error = node_get(ino, &node);
  if (error) return error;
  bool goes_on = S_ISLNK(node->inode.i_mode) && (follow || !is_last(w) || w->at < w->length);
  if (goes_on) error = put_link_before(w, node);
  node_put(node);
  return error ? error : goes_on;
}

static int step(struct way *w, struct credentials who, bool follow, struct place *place,
                uint32_t *dir) {
  int n = take_name(w, place->name);
  if (n < 0) return n;
  place->dir = *dir;
  place->ends_with_slash = w->at < w->length;
  int error = look_up(*dir, who, place->name, &place->ino);
  if (error == -ENOENT && is_last(w)) return 0;
  if (error) return error;
  int link = follow_link(w, place->ino, follow);
  if (link < 0) return link;
  if (link && w->text[0] == '/') *dir = ROOT_INO;
  if (!link)
    *dir = place->ino;
  else
    *place = (struct place){.dir = *dir, .ino = *dir, .name = ".", .ends_with_slash = true};
  return 0;
}

int path_find(const struct path *path, struct credentials who, bool follow, struct place *place) {
  static struct way w; /* too large for the stack */
  uint32_t dir = path->text[0] == '/' ? ROOT_INO : path->start;
  w.at = 0;
  w.length = path->length;
  w.links = 0;
  memcpy(w.text, path->text, path->length);
  *place = (struct place){.dir = dir, .ino = dir, .name = ".", .ends_with_slash = true};
  while (!is_last(&w)) {
    int error = step(&w, who, follow, place, &dir);
    if (error) return error;
    if (!place->ino) return 0;
  }
  return 0;
}
