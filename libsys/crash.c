/* The handler uses no lock and no allocation: the crash may have happened inside malloc(). */
#include "libsys/crash.h"

#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "libst/meta.h"
#include "libst/st.h"
#include "libsys/runtime.h"

#define STACK_BYTES   65536u
#define FRAMES_MAX    32u
#define SCAN_WORDS    4096u
#define OBJECTS_MAX   32u
#define MESSAGES_KEPT 8u

static struct object {
  uintptr_t lo, hi, base;
  const char *name;
} objects[OBJECTS_MAX];
static unsigned nobjects;

static uintptr_t stack_top;
static char build_id[41];

static msg_t messages[MESSAGES_KEPT];
static unsigned nmessages;

extern void *__libc_stack_end;

void crash_note_message(const msg_t *m) {
  messages[nmessages++ % MESSAGES_KEPT] = *m;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size, (void)unused;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
    if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X) || nobjects == OBJECTS_MAX) continue;
    const char *slash = strrchr(info->dlpi_name, '/');
    uintptr_t lo = info->dlpi_addr + ph->p_vaddr;
    objects[nobjects++] = (struct object){.lo = lo,
                                          .hi = lo + ph->p_memsz,
                                          .base = info->dlpi_addr,
                                          .name = slash ? slash + 1 : info->dlpi_name};
  }
  return 0;
}

static const struct object *object_at(uintptr_t address) {
  for (unsigned i = 0; i < nobjects; i++)
    if (address >= objects[i].lo && address < objects[i].hi) return &objects[i];
  return NULL;
}

static bool in_executable(uintptr_t address) {
  return nobjects && object_at(address) == &objects[0];
}

/* @param back  1 for a return address: the call is before it */
static void print_frame(unsigned n, uintptr_t address, unsigned back, const char *how) {
  const struct object *o = object_at(address);
  const struct st_meta *meta = st_self();
  const struct st_function *f = NULL;
  if (meta && o == &objects[0]) f = st_meta_function_at(meta, address - o->base - back);
  if (f)
    sys_log("  #%u %s+0x%lx (%s)%s", n, st_meta_string(meta, f->name),
            (unsigned long)(address - o->base - f->address), st_meta_string(meta, f->file), how);
  else if (o)
    sys_log("  #%u %s+0x%lx%s", n, *o->name ? o->name : runtime.hello.name,
            (unsigned long)(address - o->base), how);
  else
    sys_log("  #%u 0x%lx%s", n, (unsigned long)address, how);
}

/* Follows frame pointers. @return the number of frames of the executable printed */
static unsigned walk_frames(uintptr_t fp, uintptr_t sp, unsigned *n) {
  unsigned own = 0;
  uintptr_t low = sp;
  while (*n < FRAMES_MAX && fp >= low && fp % sizeof(uintptr_t) == 0 &&
         fp + 2 * sizeof(uintptr_t) <= stack_top) {
    const uintptr_t *frame = (const uintptr_t *)fp;
    if (!object_at(frame[1])) break;
    print_frame((*n)++, frame[1], 1, "");
    own += in_executable(frame[1]);
    low = fp + sizeof(uintptr_t);
    fp = frame[0];
  }
  return own;
}

/* Libraries keep no frame pointers. When one has lost the chain, print whatever on the stack looks
 * like a return address of the executable. */
static void scan_stack(uintptr_t sp, unsigned *n) {
  const uintptr_t *word = (const uintptr_t *)(sp & ~(sizeof(uintptr_t) - 1));
  for (unsigned i = 0; i < SCAN_WORDS && (uintptr_t)(word + i + 1) <= stack_top; i++)
    if (in_executable(word[i]) && *n < FRAMES_MAX) print_frame((*n)++, word[i], 1, " ?");
}

static void print_stack(const ucontext_t *context) {
  const greg_t *regs = context->uc_mcontext.gregs;
  uintptr_t ip = (uintptr_t)regs[REG_RIP], sp = (uintptr_t)regs[REG_RSP];
  unsigned n = 0;
  print_frame(n++, ip, 0, "");
  if (sp >= stack_top || sp < stack_top - (64u << 20)) return; /* not on the main stack */
  if (!walk_frames((uintptr_t)regs[REG_RBP], sp, &n) && !in_executable(ip)) scan_stack(sp, &n);
}

static void print_messages(void) {
  unsigned first = nmessages > MESSAGES_KEPT ? nmessages - MESSAGES_KEPT : 0;
  for (unsigned i = first; i < nmessages; i++) {
    const msg_t *m = &messages[i % MESSAGES_KEPT];
    sys_log("  message from %s: type 0x%x status %d payload %u token 0x%llx", sys_name(m->source),
            m->type, m->status, m->payload, (unsigned long long)m->token);
  }
}

static void on_crash(int sig, siginfo_t *info, void *context) {
  sys_log("crashed: signal %d (%s) at address %p, build id %s", sig, sigabbrev_np(sig),
          sig == SIGABRT ? NULL : info->si_addr, build_id);
  print_stack(context);
  print_messages();
  /* The handler was reset on entry: the faulting instruction, or this, now ends the process. */
  raise(sig);
}

void crash_install(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
  stack_top = (uintptr_t)__libc_stack_end;
  nobjects = 0;
  dl_iterate_phdr(note_object, NULL);
  if (st_self()) st_meta_build_id(st_self(), build_id);
  stack_t stack = {.ss_size = STACK_BYTES};
  stack.ss_sp = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL)) return;
  struct sigaction sa = {.sa_sigaction = on_crash,
                         .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
  for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
    sigaction(signals[i], &sa, NULL);
}
