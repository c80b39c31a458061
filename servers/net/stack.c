#include "servers/net/stack.h"

#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "libsys/sys.h"

static uint64_t random_state;
static uint64_t alarm_us; /* when the alarm will ring; 0 = not set */
static bool looped;       /* frames to ourselves wait in the interface's queue */

/* The functions below replace the library's own, or libc's: state hidden in libc would not be
 * transferred, and there is neither a thread to lock against nor one to post a callback to. */

u32_t sys_now(void) {
  return (u32_t)(sys_time_us() / 1000);
}

/* xorshift64*, Vigna 2016. Ports come from it, and with tcp_next_iss() sequence numbers. */
int rand(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (int)((random_state * 0x2545f4914f6cdd1dull) >> 33);
}

/* lwIP's own is a counter, which a stranger can guess (RFC 6528). */
u32_t tcp_next_iss(struct tcp_pcb *pcb) {
  (void)pcb;
  return (u32_t)rand() << 8 ^ (u32_t)rand();
}

sys_prot_t sys_arch_protect(void) {
  return 0;
}

void sys_arch_unprotect(sys_prot_t level) {
  (void)level;
}

void sys_check_core_locking(void) {}

/* Called for one purpose: netif_poll() once a frame to ourselves was queued. */
err_t tcpip_try_callback(tcpip_callback_fn function, void *context) {
  (void)function;
  (void)context;
  looped = true;
  return ERR_OK;
}

void stack_init(void) {
  sys_random(&random_state, sizeof random_state);
  random_state |= 1;
  lwip_init();
}

void stack_run_timers(void) {
  alarm_us = 0;
  sys_check_timeouts();
}

static void ring_at(uint64_t at_us) {
  if (alarm_us && alarm_us <= at_us) return;
  alarm_us = at_us;
  sys_alarm(STACK_ALARM_BIT, at_us);
}

void stack_settle(void) {
  if (looped) {
    struct netif *n;
    looped = false;
    NETIF_FOREACH(n) netif_poll(n);
  }
  u32_t ms = sys_timeouts_sleeptime();
  if (ms != SYS_TIMEOUTS_SLEEPTIME_INFINITE) ring_at(sys_time_us() + (uint64_t)ms * 1000);
}

void stack_again(void) {
  ring_at(sys_time_us());
}
