#include "servers/net/turn.h"

#include "servers/net/connection.h"
#include "servers/net/nic.h"
#include "servers/net/ready.h"
#include "servers/net/stack.h"

void turn_end(void) {
  /* Those who were held back come first: what is received makes others send. */
  if (nic_take_sent()) connection_retry();
  bool more = nic_take_received();
  connection_flush();
  stack_settle();
  ready_settle();
  nic_flush();
  if (more) stack_again();
}
