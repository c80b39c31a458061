/* A scheduling policy: what each task is owed, and who goes first. A folder of its own holds each:
 * feedback/ and fair/, with `struct policy_task`, what it keeps about a task, in state.h. */
#ifndef SCHED_POLICY_H
#define SCHED_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct task;

/** SCHED_LIST's number of it. */
extern const uint32_t policy_number;

/** A task has come, or has other settings. */
void policy_begin(struct task *t);
/** What it used since the last tick.
 * @param waits  how often it waited for something in that time
 * @return whether it has used up what it was given */
bool policy_charge(struct task *t, uint64_t used_us, uint64_t waits);
/** After all were charged. */
void policy_tick(uint64_t now_us);
/** Whether it computes for long: it takes turns then. */
bool policy_is_long(const struct task *t);
/** Whose turn comes first, of two that take turns. */
bool policy_before(const struct task *a, const struct task *b);
/** For people, and for tests. */
uint32_t policy_rank(const struct task *t);
/** In the order of delivery. */
uint32_t policy_priority(const struct task *t);

#endif
