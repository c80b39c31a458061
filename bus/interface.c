#include "bus/interface.h"

#include <errno.h>
#include <string.h>

/* What a step takes from the stack; it puts one value there. @return -1: there is no such step */
static int operands(uint32_t op) {
  switch ((enum bus_step_op)op) {
  case BUS_STEP_NUMBER:
  case BUS_STEP_TYPE:
  case BUS_STEP_SOURCE:
  case BUS_STEP_PAYLOAD:
    return 0;
  case BUS_STEP_NOT:
    return 1;
  case BUS_STEP_EQUAL:
  case BUS_STEP_LESS:
  case BUS_STEP_LESS_EQUAL:
  case BUS_STEP_AND:
  case BUS_STEP_OR:
    return 2;
  }
  return -1;
}

static bool is_expression(const struct interface *i) {
  int depth = 0;
  for (uint32_t s = 0; s < i->count; s++) {
    int taken = operands(i->steps[s].op);
    if (taken < 0 || taken > depth) return false;
    depth += 1 - taken;
  }
  return depth == 1;
}

int interface_set(struct interface *i, const void *steps, uint32_t bytes) {
  i->count = 0;
  if (!bytes) return 0;
  if (bytes % sizeof(struct bus_step) || bytes > sizeof(i->steps)) return -EINVAL;
  memcpy(i->steps, steps, bytes);
  i->count = bytes / (uint32_t)sizeof(struct bus_step);
  if (is_expression(i)) return 0;
  i->count = 0;
  return -EINVAL;
}

static uint32_t value_of(const struct bus_step *s, const uint32_t *operand, const msg_t *m) {
  switch ((enum bus_step_op)s->op) {
  case BUS_STEP_NUMBER:
    return s->value;
  case BUS_STEP_TYPE:
    return m->type;
  case BUS_STEP_SOURCE:
    return (uint32_t)m->source;
  case BUS_STEP_PAYLOAD:
    return m->payload;
  case BUS_STEP_NOT:
    return !operand[0];
  case BUS_STEP_EQUAL:
    return operand[0] == operand[1];
  case BUS_STEP_LESS:
    return operand[0] < operand[1];
  case BUS_STEP_LESS_EQUAL:
    return operand[0] <= operand[1];
  case BUS_STEP_AND:
    return operand[0] && operand[1];
  case BUS_STEP_OR:
    return operand[0] || operand[1];
  }
  return 0;
}

bool interface_passes(const struct interface *i, const msg_t *m) {
  uint32_t stack[BUS_STEPS_MAX];
  uint32_t *top = stack;
  for (uint32_t s = 0; s < i->count; s++) {
    top -= operands(i->steps[s].op);
    *top = value_of(&i->steps[s], top, m);
    top++;
  }
  return stack[0] != 0;
}
