/* Requests that change what an inode says of its file. */
#include <errno.h>
#include <sys/stat.h>

#include "servers/storage/request.h"
#include "servers/storage/volume.h"

static bool is_owner(const struct node *n, struct credentials who) {
  return who.user == 0 || who.user == node_user(n);
}

static int32_t end_change(struct node *n, int32_t error) {
  if (!error) {
    node_touch(n, NODE_CHANGED);
    error = node_write(n);
  }
  node_put(n);
  return error;
}

int32_t do_set_mode(struct request *r) {
  const struct fs_set_mode *q = IPC(r->m, fs_set_mode);
  struct node *n;
  int error = request_node(r, q->dir, true, &n);
  if (error) return error;
  if (!is_owner(n, r->who)) return end_change(n, -EPERM);
  n->inode.i_mode = (uint16_t)((n->inode.i_mode & S_IFMT) | (q->mode & 07777));
  return end_change(n, 0);
}

/* The owner may give the file to its own group, root to anybody. UINT32_MAX leaves one alone. */
int32_t do_set_owner(struct request *r) {
  const struct fs_set_owner *q = IPC(r->m, fs_set_owner);
  struct node *n;
  int error = request_node(r, q->dir, true, &n);
  if (error) return error;
  uint32_t user = q->user == UINT32_MAX ? node_user(n) : q->user;
  uint32_t group = q->group == UINT32_MAX ? node_group(n) : q->group;
  bool allowed = r->who.user == 0 || (is_owner(n, r->who) && user == node_user(n) &&
                                      (group == r->who.group || group == node_group(n)));
  if (!allowed) return end_change(n, -EPERM);
  node_set_owner(n, user, group);
  if (S_ISREG(n->inode.i_mode)) n->inode.i_mode &= (uint16_t) ~(S_ISUID | S_ISGID);
  return end_change(n, 0);
}

static void set_time(struct node *n, enum node_time which, int64_t ns) {
  if (ns == FS_TIME_NOW)
    node_touch(n, which);
  else if (ns != FS_TIME_LEAVE)
    node_set_time(n, which, ns);
}

int32_t do_set_times(struct request *r) {
  const struct fs_set_times *q = IPC(r->m, fs_set_times);
  struct node *n;
  int error = request_node(r, q->dir, true, &n);
  if (error) return error;
  int64_t accessed = (int64_t)q->accessed_ns, modified = (int64_t)q->modified_ns;
  bool now = accessed == FS_TIME_NOW && modified == FS_TIME_NOW;
  if (!is_owner(n, r->who))
    return end_change(n, now && !path_may(n, r->who, FS_MAY_WRITE) ? 0 : -EPERM);
  set_time(n, NODE_ACCESSED, accessed);
  set_time(n, NODE_MODIFIED, modified);
  return end_change(n, 0);
}
