#include "servers/storage/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "libsys/sys.h"
#include "servers/storage/volume.h"

enum { NOBODY = 65534 };

struct owner {
  LIST_ENTRY(owner) link;
  endpoint_t endpoint;
  struct credentials who;
  bool is_known;         /* who it is */
  struct file **handles; /* handle N is at N - 1 */
  uint32_t capacity;
};

static LIST_HEAD(, owner) owners = LIST_HEAD_INITIALIZER(owners);
static uint32_t nhandles, nfiles;

static struct owner *find(endpoint_t endpoint) {
  struct owner *o;
  LIST_FOREACH (o, &owners, link)
    if (o->endpoint == endpoint) return o;
  return NULL;
}

static struct owner *find_or_make(endpoint_t endpoint) {
  struct owner *o = find(endpoint);
  if (o) return o;
  o = calloc(1, sizeof *o);
  if (!o) return NULL;
  o->endpoint = endpoint;
  LIST_INSERT_HEAD(&owners, o, link);
  return o;
}

static int grow(struct owner *o) {
  uint32_t capacity = o->capacity ? 2 * o->capacity : 8;
  struct file **handles = calloc(capacity, sizeof *handles);
  if (!handles) return -ENOMEM;
  for (uint32_t i = 0; i < o->capacity; i++)
    handles[i] = o->handles[i];
  free(o->handles);
  o->handles = handles;
  o->capacity = capacity;
  return 0;
}

/* The lowest handle that is free, less one. */
static int64_t free_slot(endpoint_t endpoint, struct owner **owner) {
  struct owner *o = *owner = find_or_make(endpoint);
  if (!o) return -ENOMEM;
  for (uint32_t i = 0; i < o->capacity; i++)
    if (!o->handles[i]) return i;
  if (o->capacity >= HANDLES_MAX) return -EMFILE;
  int64_t first = o->capacity;
  int error = grow(o);
  return error ? error : first;
}

/* The same for one more file. */
static int64_t file_slot(endpoint_t endpoint, struct owner **owner) {
  return nfiles < FILES_MAX ? free_slot(endpoint, owner) : -EMFILE;
}

int files_room(endpoint_t endpoint) {
  struct owner *o;
  int64_t slot = file_slot(endpoint, &o);
  return slot < 0 ? (int)slot : 0;
}

int64_t files_open(endpoint_t endpoint, struct node *node, uint32_t flags) {
  struct owner *o;
  int64_t slot = file_slot(endpoint, &o);
  if (slot < 0) return slot;
  struct file *f = calloc(1, sizeof *f);
  if (!f) return -ENOMEM;
  *f = (struct file){.node = node, .flags = flags, .handles = 1};
  o->handles[slot] = f;
  nhandles++;
  nfiles++;
  return slot + 1;
}

static struct file **place(endpoint_t endpoint, uint32_t handle) {
  struct owner *o = find(endpoint);
  if (!o || handle == 0 || handle > o->capacity || !o->handles[handle - 1]) return NULL;
  return &o->handles[handle - 1];
}

struct file *files_find(endpoint_t endpoint, uint32_t handle) {
  struct file **f = place(endpoint, handle);
  return f ? *f : NULL;
}

static void close_handle(struct file **handle) {
  struct file *f = *handle;
  *handle = NULL;
  nhandles--;
  if (--f->handles) return;
  nfiles--;
  node_put(f->node);
  free(f);
}

int files_close(endpoint_t endpoint, uint32_t handle) {
  struct file **f = place(endpoint, handle);
  if (!f) return -EBADF;
  close_handle(f);
  return 0;
}

int64_t files_duplicate(endpoint_t from, uint32_t handle, endpoint_t to) {
  struct owner *o;
  struct file *f = files_find(from, handle);
  if (!f) return -EBADF;
  int64_t slot = free_slot(to, &o);
  if (slot < 0) return slot;
  o->handles[slot] = f;
  f->handles++;
  nhandles++;
  return slot + 1;
}

static void drop(struct owner *o) {
  for (uint32_t i = 0; i < o->capacity; i++)
    if (o->handles[i]) close_handle(&o->handles[i]);
  LIST_REMOVE(o, link);
  free(o->handles);
  free(o);
}

void files_drop_owner(endpoint_t endpoint) {
  struct owner *o = find(endpoint);
  if (o) drop(o);
}

void files_drop_all(void) {
  while (!LIST_EMPTY(&owners))
    drop(LIST_FIRST(&owners));
}

uint32_t files_handles(void) {
  return nhandles;
}

int files_set_credentials(endpoint_t endpoint, struct credentials who) {
  struct owner *o = find_or_make(endpoint);
  if (!o) return -ENOMEM;
  o->who = who;
  o->is_known = true;
  return 0;
}

/* After a restart of storage programs ask that it has not heard of yet. Without a process manager
 * that calls storage it never will. */
bool files_know(endpoint_t endpoint, struct credentials *who) {
  const struct owner *o = find(endpoint);
  if (o && o->is_known) {
    *who = o->who;
    return true;
  }
  bool is_program = strncmp(sys_name(endpoint), "program-", 8) == 0;
  if (is_program && sys_lookup("pm") > 0) return false;
  *who = is_program ? (struct credentials){NOBODY, NOBODY} : (struct credentials){0, 0};
  files_set_credentials(endpoint, *who); /* so that the next request need not ask again */
  return true;
}
