#include "apps/httpd/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/if/fs.h"
#include "libsys/if/io.h"
#include "libsys/sys.h"

static TAILQ_HEAD(transfer_list, transfer) all = TAILQ_HEAD_INITIALIZER(all);
static uint64_t last_id; /* 0 is the cookie of calls whose answer nobody wants */

static endpoint_t storage(void) {
  static endpoint_t server;
  if (server <= 0) server = sys_lookup("storage");
  return server;
}

static int http_status(int error) {
  switch (-error) {
  case ENOENT:
  case ENOTDIR:
  case ENAMETOOLONG:
  case ELOOP:
    return 404;
  case EACCES:
  case EPERM:
  case EISDIR:
  case EROFS:
    return 403;
  case ENOSPC:
  case EFBIG:
    return 507;
  default:
    return 503;
  }
}

/* Calls that end something: nobody waits for them. When there are too many in flight it is waited
 * for, which is bounded. */
static void tell(msg_t *m, const void *out, size_t bytes) {
  if (sys_call(storage(), m, out, bytes, 0) == -EAGAIN)
    sys_sendrec_bulk(storage(), m, out, bytes, NULL, 0);
}

static void close_handle(uint32_t handle) {
  msg_t m = {.type = IO_CLOSE};
  IPC(&m, io_close)->handle = handle;
  if (handle) tell(&m, NULL, 0);
}

static void remove_part(struct transfer *t) {
  msg_t m = {.type = FS_REMOVE};
  if (*t->part) tell(&m, t->part, strlen(t->part));
  *t->part = 0;
}

static void fail(struct transfer *t, int status) {
  t->state = TRANSFER_FAILED;
  t->status = status;
}

/* ---- asking ---- */

static int call(struct transfer *t, const msg_t *m, const void *out, size_t bytes) {
  int r = storage() < 0 ? -ENOENT : sys_call(storage(), m, out, bytes, t->id);
  t->pending = r == 0;
  t->starved = r == -EAGAIN;
  return r == -EAGAIN ? 0 : r;
}

static int ask_open(struct transfer *t) {
  msg_t m = {.type = FS_OPEN};
  const char *path = t->upload ? t->part : t->path;
  IPC(&m, fs_open)->flags = t->upload ? FS_WRITE | FS_CREATE | FS_TRUNCATE : FS_READ;
  IPC(&m, fs_open)->mode = 0644;
  return call(t, &m, path, strlen(path));
}

static int ask_what(struct transfer *t) {
  msg_t m = {.type = FS_STAT_FILE};
  IPC(&m, fs_stat_file)->handle = t->handle;
  return call(t, &m, NULL, 0);
}

static int ask_read(struct transfer *t) {
  uint64_t left = t->end - t->offset;
  msg_t m = {.type = IO_READ};
  IPC(&m, io_read)->handle = t->handle;
  IPC(&m, io_read)->offset = t->offset;
  IPC(&m, io_read)->max = left < TRANSFER_BYTES ? (uint32_t)left : TRANSFER_BYTES;
  IPC(&m, io_read)->flags = IO_WAIT;
  return call(t, &m, NULL, 0);
}

static int ask_write(struct transfer *t) {
  msg_t m = {.type = IO_WRITE};
  IPC(&m, io_write)->handle = t->handle;
  IPC(&m, io_write)->offset = t->offset;
  IPC(&m, io_write)->flags = IO_WAIT;
  return call(t, &m, t->data->bytes + t->at, t->used - t->at);
}

static int ask_rename(struct transfer *t) {
  char both[2 * TRANSFER_PATH_BYTES];
  size_t n = strlen(t->part) + 1, k = strlen(t->path);
  memcpy(both, t->part, n);
  memcpy(both + n, t->path, k);
  msg_t m = {.type = FS_RENAME};
  return call(t, &m, both, n + k);
}

static int ask_sync(struct transfer *t) {
  msg_t m = {.type = FS_SYNC_FILE};
  IPC(&m, fs_sync_file)->handle = t->handle;
  return call(t, &m, NULL, 0);
}

static int ask(struct transfer *t) {
  switch (t->state) {
  case TRANSFER_OPENING:
    return ask_open(t);
  case TRANSFER_ASKING:
    return ask_what(t);
  case TRANSFER_READING:
    return ask_read(t);
  case TRANSFER_WRITING:
    return ask_write(t);
  case TRANSFER_RENAMING:
    return ask_rename(t);
  case TRANSFER_SYNCING:
    return ask_sync(t);
  default:
    return 0;
  }
}

/* Storage has no handle of ours any more, or is not there to ask. */
static void lost(struct transfer *t, bool away) {
  t->handle = 0;
  if (t->upload || !t->opened)
    fail(t, 503);
  else
    t->state = away ? TRANSFER_STALLED : TRANSFER_OPENING;
}

static void enter(struct transfer *t, enum transfer_state state) {
  t->state = state;
  if (ask(t) < 0) lost(t, true);
}

/* ---- answers ---- */

static void opened(struct transfer *t, const msg_t *m) {
  const struct fs_open_reply *reply = IPC_REPLY(m, fs_open);
  t->handle = reply->handle;
  t->directory = (reply->type & 0170000) == 0040000;
  enter(t, t->upload ? TRANSFER_READY : TRANSFER_ASKING);
}

/* Opened again it must be what it was: the client has the beginning of that. */
static void told(struct transfer *t, const msg_t *m) {
  struct fs_stat st;
  if (m->payload != sizeof st) {
    fail(t, 503);
    return;
  }
  memcpy(&st, sys_payload(), sizeof st);
  if (t->opened &&
      (t->inode != st.inode || t->modified_ns != st.modified_ns || t->end != st.bytes)) {
    fail(t, 503);
    return;
  }
  t->opened = true;
  t->inode = st.inode;
  t->modified_ns = st.modified_ns;
  t->end = st.bytes;
  t->state = TRANSFER_READY;
}

static void have_read(struct transfer *t, const msg_t *m) {
  if (m->payload == 0 || m->payload > TRANSFER_BYTES) { /* it has become shorter */
    fail(t, 503);
    return;
  }
  memcpy(t->data->bytes, sys_payload(), m->payload);
  t->at = 0;
  t->used = m->payload;
  t->offset += m->payload;
  t->state = TRANSFER_READY;
}

static void have_written(struct transfer *t, const msg_t *m) {
  uint32_t taken = IPC_REPLY(m, io_write)->taken;
  if (taken == 0 || taken > t->used - t->at) {
    fail(t, 503);
    return;
  }
  t->at += taken;
  t->offset += taken;
  if (t->at < t->used) {
    enter(t, TRANSFER_WRITING);
    return;
  }
  t->at = t->used = 0;
  enter(t, t->offset == t->end ? TRANSFER_RENAMING : TRANSFER_READY);
}

static void answered(struct transfer *t, const msg_t *m) {
  switch (t->state) {
  case TRANSFER_OPENING:
    opened(t, m);
    break;
  case TRANSFER_ASKING:
    told(t, m);
    break;
  case TRANSFER_READING:
    have_read(t, m);
    break;
  case TRANSFER_WRITING:
    have_written(t, m);
    break;
  case TRANSFER_RENAMING:
    *t->part = 0;
    enter(t, TRANSFER_SYNCING);
    break;
  case TRANSFER_SYNCING:
    t->state = TRANSFER_DONE;
    break;
  default:
    break;
  }
}

static void refused(struct transfer *t, int error) {
  if (error == -SYS_EDEADSRCDST) {
    lost(t, true);
  } else if (error == -SYS_ERESTARTED || (error == -EBADF && t->handle)) {
    lost(t, false);
    if (t->state == TRANSFER_OPENING) enter(t, TRANSFER_OPENING);
  } else {
    fail(t, http_status(error));
  }
}

static struct transfer *find(uint64_t id) {
  struct transfer *t;
  TAILQ_FOREACH (t, &all, link)
    if (t->id == id) return t;
  return NULL;
}

static void forget(struct transfer *t) {
  close_handle(t->handle);
  remove_part(t);
  TAILQ_REMOVE(&all, t, link);
  free(t->data);
  free(t);
}

struct transfer *transfer_reply(const msg_t *m) {
  struct transfer *t = m->cookie ? find(m->cookie) : NULL;
  if (!t) return NULL;
  t->pending = false;
  if (t->abandoned) {
    if (t->state == TRANSFER_OPENING && m->status == 0) t->handle = IPC_REPLY(m, fs_open)->handle;
    if (t->state == TRANSFER_RENAMING && m->status == 0) *t->part = 0;
    forget(t);
    return NULL;
  }
  if (m->status < 0)
    refused(t, m->status);
  else
    answered(t, m);
  return t;
}

void transfers_restarted(void) {
  struct transfer *t;
  TAILQ_FOREACH (t, &all, link) {
    if (t->state == TRANSFER_DONE || t->state == TRANSFER_FAILED) {
      t->handle = 0;
    } else if (!t->pending) { /* otherwise the answer says it */
      lost(t, false);
      if (t->state == TRANSFER_OPENING) enter(t, TRANSFER_OPENING);
    }
  }
}

void transfers_shutdown(void) {
  struct transfer *t;
  TAILQ_FOREACH (t, &all, link) {
    msg_t m = {.type = FS_REMOVE};
    if (*t->part) sys_sendrec_bulk(storage(), &m, t->part, strlen(t->part), NULL, 0);
  }
}

void transfers_retry(bool stalled) {
  struct transfer *t;
  TAILQ_FOREACH (t, &all, link) {
    if (t->pending) continue;
    if (t->starved)
      enter(t, t->state);
    else if (stalled && t->state == TRANSFER_STALLED)
      enter(t, TRANSFER_OPENING);
  }
}

/* ---- for connections ---- */

static struct transfer *new_transfer(void) {
  struct transfer *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->data = malloc(sizeof *t->data);
  if (!t->data) {
    free(t);
    return NULL;
  }
  t->id = ++last_id;
  TAILQ_INSERT_TAIL(&all, t, link);
  return t;
}

struct transfer *transfer_download(const char *path) {
  struct transfer *t = new_transfer();
  if (!t) return NULL;
  snprintf(t->path, sizeof t->path, "%s", path);
  enter(t, TRANSFER_OPENING);
  return t;
}

struct transfer *transfer_upload(const char *directory, const char *name, uint64_t bytes) {
  struct transfer *t = new_transfer();
  if (!t) return NULL;
  t->upload = true;
  t->end = bytes;
  snprintf(t->path, sizeof t->path, "%s/%s", directory, name);
  snprintf(t->part, sizeof t->part, "%s/.%llu.part", directory, (unsigned long long)t->id);
  enter(t, TRANSFER_OPENING);
  return t;
}

void transfer_end(struct transfer *t) {
  if (t->pending)
    t->abandoned = true;
  else
    forget(t);
}

void transfer_read(struct transfer *t) {
  enter(t, TRANSFER_READING);
}

void transfer_write(struct transfer *t) {
  enter(t, t->used ? TRANSFER_WRITING : TRANSFER_RENAMING);
}
