/* The console behind a descriptor, with POSIX's struct termios. */
#include <errno.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libsys/if/tty.h"
#include "libsys/sys.h"

static const struct {
  unsigned at; /* in c_cc */
  enum tty_control control;
} characters[] = {{VINTR, TTY_INTERRUPT}, {VQUIT, TTY_QUIT},    {VSUSP, TTY_SUSPEND},
                  {VERASE, TTY_ERASE},    {VKILL, TTY_KILL},    {VWERASE, TTY_WORD},
                  {VEOF, TTY_END},        {VLNEXT, TTY_LITERAL}};
enum { CHARACTERS = sizeof characters / sizeof *characters };

static struct descriptor *console(int fd) {
  struct descriptor *d = descriptor_get(fd);
  if (d && d->kind == DESCRIPTOR_CONSOLE) return d;
  if (d) errno = ENOTTY;
  return NULL;
}

int os_isatty(int fd) {
  return console(fd) != NULL;
}

int os_tcgetattr(int fd, struct termios *modes) {
  struct descriptor *d = console(fd);
  if (!d) return -1;
  struct tty_modes raw;
  msg_t m = {.type = TTY_GET};
  IPC(&m, tty_get)->handle = d->handle;
  if (ask_bulk(d->server, &m, NULL, 0, &raw, sizeof raw) < 0) return -1;
  if (m.payload != sizeof raw) return fail(-EIO);
  memset(modes, 0, sizeof *modes);
  if (raw.flags & TTY_CANONICAL) modes->c_lflag |= ICANON;
  if (raw.flags & TTY_ECHO) modes->c_lflag |= ECHO | ECHOE | ECHOK | ECHOCTL;
  if (raw.flags & TTY_SIGNALS) modes->c_lflag |= ISIG;
  if (raw.flags & TTY_CR_TO_NL) modes->c_iflag |= ICRNL;
  if (raw.flags & TTY_NL_TO_CRNL) modes->c_oflag |= OPOST | ONLCR;
  modes->c_cflag = CS8 | CREAD;
  modes->c_cc[VMIN] = 1;
  for (unsigned i = 0; i < CHARACTERS; i++)
    modes->c_cc[characters[i].at] = raw.control[characters[i].control];
  return 0;
}

int os_tcsetattr(int fd, int when, const struct termios *modes) {
  struct descriptor *d = console(fd);
  if (!d) return -1;
  struct tty_modes raw = {0};
  if (modes->c_lflag & ICANON) raw.flags |= TTY_CANONICAL;
  if (modes->c_lflag & ECHO) raw.flags |= TTY_ECHO;
  if (modes->c_lflag & ISIG) raw.flags |= TTY_SIGNALS;
  if (modes->c_iflag & ICRNL) raw.flags |= TTY_CR_TO_NL;
  if (modes->c_oflag & OPOST) raw.flags |= TTY_NL_TO_CRNL;
  for (unsigned i = 0; i < CHARACTERS; i++)
    raw.control[characters[i].control] = modes->c_cc[characters[i].at];
  msg_t m = {.type = TTY_SET};
  IPC(&m, tty_set)->handle = d->handle;
  IPC(&m, tty_set)->drop = when == TCSAFLUSH;
  return ask_bulk(d->server, &m, &raw, sizeof raw, NULL, 0);
}

int os_winsize(int fd, struct winsize *size) {
  struct descriptor *d = console(fd);
  if (!d) return -1;
  msg_t m = {.type = TTY_SIZE};
  IPC(&m, tty_size)->handle = d->handle;
  if (ask(d->server, &m) < 0) return -1;
  *size = (struct winsize){.ws_col = (unsigned short)IPC_REPLY(&m, tty_size)->columns,
                           .ws_row = (unsigned short)IPC_REPLY(&m, tty_size)->rows};
  return 0;
}

pid_t os_tcgetpgrp(int fd) {
  struct descriptor *d = console(fd);
  if (!d) return -1;
  msg_t m = {.type = TTY_GET_GROUP};
  IPC(&m, tty_get_group)->handle = d->handle;
  return ask(d->server, &m) < 0 ? -1 : IPC_REPLY(&m, tty_get_group)->group;
}

int os_tcsetpgrp(int fd, pid_t group) {
  struct descriptor *d = console(fd);
  if (!d) return -1;
  msg_t m = {.type = TTY_SET_GROUP};
  IPC(&m, tty_set_group)->handle = d->handle;
  IPC(&m, tty_set_group)->group = group;
  return ask(d->server, &m);
}
