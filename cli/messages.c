#define IPC_TABLES /* before anything that includes an interface header */
#include "cli/messages.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "cli/system_messages.h"

#include "libsys/if/device.h"
#include "libsys/if/disk.h"
#include "libsys/if/fs.h"
#include "libsys/if/io.h"
#include "libsys/if/kbd.h"
#include "libsys/if/mem.h"
#include "libsys/if/nic.h"
#include "libsys/if/pipe.h"
#include "libsys/if/proc.h"
#include "libsys/if/sched.h"
#include "libsys/if/sock.h"
#include "libsys/if/tty.h"

static const struct ipc_interface *const interfaces[] = {
    &ipc_sock, &ipc_nic,  &ipc_disk, &ipc_kbd, &ipc_device, &ipc_system, &ipc_io,
    &ipc_fs,   &ipc_proc, &ipc_pipe, &ipc_tty, &ipc_mem,    &ipc_sched};

static const struct ipc_message *find(uint32_t type) {
  for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++)
    for (const struct ipc_message *m = interfaces[i]->messages; m->name; m++)
      if (m->type == type) return m;
  return NULL;
}

const char *message_name(uint32_t type) {
  static char number[16];
  type &= ~SYS_REPLY_FLAG;
  const struct ipc_message *m = find(type);
  if (m) return m->name;
  snprintf(number, sizeof(number), "0x%" PRIx32, type);
  return number;
}

bool message_is_called(const char *name, const char *text) {
  const char *rest = strchr(name, '_');
  return strcasecmp(text, name) == 0 || (rest && strcasecmp(text, rest + 1) == 0);
}

bool message_type(const char *name, uint32_t *type) {
  unsigned found = 0;
  for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++)
    for (const struct ipc_message *m = interfaces[i]->messages; m->name; m++) {
      if (!message_is_called(m->name, name)) continue;
      *type = m->type;
      if (strcasecmp(name, m->name) == 0) return true;
      found++;
    }
  return found == 1;
}

static void print_value(FILE *to, const struct ipc_field *f, const uint8_t *at) {
  uint64_t v64;
  uint32_t v32;
  uint16_t v16;
  char text[INET_ADDRSTRLEN];
  memcpy(&v32, at, sizeof(v32));
  switch ((enum ipc_kind)f->kind) {
  case IPC_i32:
    fprintf(to, "%" PRId32, (int32_t)v32);
    break;
  case IPC_u32:
    fprintf(to, "%" PRIu32, v32);
    break;
  case IPC_u64:
    memcpy(&v64, at, sizeof(v64));
    fprintf(to, "%" PRIu64, v64);
    break;
  case IPC_x32:
    fprintf(to, "0x%" PRIx32, v32);
    break;
  case IPC_ip4:
    fputs(inet_ntop(AF_INET, &v32, text, sizeof(text)), to);
    break;
  case IPC_u16:
    memcpy(&v16, at, sizeof(v16));
    fprintf(to, "%u", v16);
    break;
  }
}

void message_print_fields(FILE *to, const msg_t *m) {
  const struct ipc_message *d = find(m->type & ~SYS_REPLY_FLAG);
  if (!d) return;
  const struct ipc_field *fields = m->type & SYS_REPLY_FLAG ? d->reply() : d->request();
  if (!fields->name) return;
  for (const struct ipc_field *f = fields; f->name; f++) {
    fprintf(to, "%s%s=", f == fields ? "{" : ", ", f->name);
    print_value(to, f, m->body + f->offset);
  }
  putc('}', to);
}
