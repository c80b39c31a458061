/* pm: processes of applications.
 *
 *   pm [processes=N]
 *
 * N is how many processes a user other than root may have, zombies included; any number if it is
 * not given. A restart of pm ends them all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/abi.h"
#include "libsys/if/proc.h"
#include "libsys/sys.h"
#include "servers/pm/caller.h"
#include "servers/pm/credentials.h"
#include "servers/pm/ending.h"
#include "servers/pm/groups.h"
#include "servers/pm/limit.h"
#include "servers/pm/list.h"
#include "servers/pm/print.h"
#include "servers/pm/signals.h"
#include "servers/pm/spawn.h"

SYS_NEEDS(kernel, "processes");

static uint32_t per_user;

static void process_request(const msg_t *m) {
  switch (m->type) {
  case PROC_BEGIN:
    spawn_begin(m);
    break;
  case PROC_SPAWN:
    spawn_request(m, sys_payload());
    break;
  case PROC_WAIT:
    ending_wait(m);
    break;
  case PROC_KILL:
    signals_kill(m);
    break;
  case PROC_SIGNALS:
    signals_set(m);
    break;
  case PROC_TAKE:
    signals_take(m);
    break;
  case PROC_SET_GROUP:
    groups_set(m);
    break;
  case PROC_MEMBERS:
    groups_count(m);
    break;
  case PROC_GET:
    list_get(m);
    break;
  case PROC_LIST:
    list_answer(m);
    break;
  case PROC_SET_LIMIT:
    limits_set(m);
    break;
  default:
    answer_status(m, -ENOSYS);
  }
}

static void process_msg(const msg_t *m) {
  if (m->type & SYS_REPLY_FLAG)
    spawn_answered(m);
  else if (m->type == SYS_NOTIFIED)
    limits_look();
  else if (m->type == SYS_RESTARTED && m->i32[0] == sys_lookup("storage"))
    credentials_tell_all();
  else if (m->type == PROGRAM_ENDED)
    ending_program_ended(m);
  else if (m->type == PROGRAM_LOOK_AGAIN)
    ending_look_again();
  else if (m->type == BUS_TABLE && m->source == SYS_KERNEL)
    print_table(m);
  else if (msg_is_request(m))
    process_request(m);
}

static int init(const sys_init_t *info) {
  spawn_init(per_user);
  if (info->start == SYS_START_RESTART) ending_all();
  return 0;
}

static void end_all(void) {
  ending_all();
}

/* @return whether the arguments make sense */
static bool parse_arguments(int argc, char **argv) {
  char rest;
  for (int i = 1; i < argc; i++)
    if (sscanf(argv[i], "processes=%u%c", &per_user, &rest) != 1) return false;
  return true;
}

int main(int argc, char **argv) {
  event_eh_t handlers = {.init = init, .shutdown = end_all};
  if (!parse_arguments(argc, argv)) {
    fprintf(stderr, "usage: pm [processes=N]\n");
    return EXIT_FAILURE;
  }
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
