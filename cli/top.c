/* prctl top: what each component does, refreshed until it is interrupted. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/interval.h"
#include "cli/json.h"

#define SCREEN_ENTER  "\033[?1049h\033[?25l" /* the other screen, without a cursor */
#define SCREEN_LEAVE  "\033[?25h\033[?1049l"
#define SCREEN_HOME   "\033[H"
#define SCREEN_LINE   "\033[K\n" /* clear what is left of the line */
#define SCREEN_BOTTOM "\033[J"

struct sample {
  double at; /* busd's look, seconds, monotonic; the answer may have come much later */
  Proteos__ControlReply *reply;
};

/* What one component did between two samples. */
struct row {
  const Proteos__ComponentStatus *now;
  double cpu_percent, messages_per_s;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

/* @return false: there is none, and `reply` or its lack says why */
static bool take(int control, struct sample *s) {
  s->reply = control_status(control);
  if (!s->reply || !s->reply->instance) return false;
  s->at = (double)s->reply->instance->at_us / 1e6;
  return true;
}

static void drop(struct sample *s) {
  if (s->reply) proteos__control_reply__free_unpacked(s->reply, NULL);
  s->reply = NULL;
}

/* ---- rows ---- */

static const Proteos__ComponentStatus *find(const struct sample *s, const char *name) {
  for (size_t i = 0; i < s->reply->n_components; i++)
    if (strcmp(s->reply->components[i]->name, name) == 0) return s->reply->components[i];
  return NULL;
}

/* A process that is new since the last sample has used all of its time since then. */
static struct row compare(const Proteos__ComponentStatus *now, const struct sample *last,
                          double seconds) {
  const Proteos__ComponentStatus *then = find(last, now->name);
  uint64_t cpu = now->cpu_us, messages = now->messages;
  if (then && then->pid == now->pid && then->cpu_us <= cpu) cpu -= then->cpu_us;
  if (then) messages -= then->messages;
  return (struct row){now, (double)cpu / 1e4 / seconds, (double)messages / seconds};
}

static int busier(const void *a, const void *b) {
  const struct row *x = a, *y = b;
  if (x->cpu_percent != y->cpu_percent) return x->cpu_percent < y->cpu_percent ? 1 : -1;
  return strcmp(x->now->name, y->now->name);
}

/* @return owned by the caller; NULL: no memory */
static struct row *rows_between(const struct sample *last, const struct sample *now) {
  size_t n = now->reply->n_components;
  struct row *rows = calloc(n + 1, sizeof(*rows));
  for (size_t i = 0; i < n && rows; i++)
    rows[i] = compare(now->reply->components[i], last, now->at - last->at);
  if (rows) qsort(rows, n, sizeof(*rows), busier);
  return rows;
}

/* ---- output ---- */

static void print_json(const struct sample *s, const struct row *rows) {
  printf("{");
  json_string("instance", s->reply->instance->name, ", ");
  json_string("state", s->reply->instance->state, ", ");
  printf("\"components\": [");
  for (size_t i = 0; i < s->reply->n_components; i++) {
    const Proteos__ComponentStatus *c = rows[i].now;
    printf("%s{", i ? ", " : "");
    json_string("name", c->name, ", ");
    json_string("state", c->state, ", ");
    printf("\"pid\": %d, \"cpu_percent\": %.2f, \"messages_per_s\": %.1f, \"queued\": %u, "
           "\"calls_in_flight\": %u, \"memory_bytes\": %" PRIu64
           ", \"updates\": %u, \"restarts\": %u}",
           c->pid, rows[i].cpu_percent, rows[i].messages_per_s, c->queued, c->calls_in_flight,
           c->memory_bytes, c->updates, c->restarts);
  }
  printf("]}\n");
}

/* One line, cut to the width of the screen. */
static void print_line(const char *line, unsigned width, const char *end) {
  printf("%.*s%s", (int)width, line, end);
}

static void print_table(const struct sample *s, const struct row *rows, bool screen) {
  struct winsize size = {.ws_row = 0};
  const char *end = screen ? SCREEN_LINE : "\n";
  char line[256];
  if (screen) ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  unsigned width = size.ws_col ? size.ws_col : sizeof(line);
  size_t shown = s->reply->n_components;
  if (size.ws_row > 3 && shown > size.ws_row - 3u) shown = size.ws_row - 3u;
  snprintf(line, sizeof(line), "instance %s: %s, %zu components", s->reply->instance->name,
           s->reply->instance->state, s->reply->n_components);
  print_line(line, width, end);
  snprintf(line, sizeof(line), "%-14s %-11s %6s %11s %7s %7s %10s %8s", "COMPONENT", "STATE",
           "CPU %", "MESSAGES/S", "QUEUED", "CALLS", "MEMORY", "UPDATES");
  print_line(line, width, end);
  for (size_t i = 0; i < shown; i++) {
    const Proteos__ComponentStatus *c = rows[i].now;
    snprintf(line, sizeof(line), "%-14s %-11s %6.1f %11.0f %7u %7u %7" PRIu64 " KB %8u", c->name,
             c->state, rows[i].cpu_percent, rows[i].messages_per_s, c->queued, c->calls_in_flight,
             c->memory_bytes / 1024, c->updates);
    print_line(line, width, end);
  }
}

/* ---- command ---- */

struct options {
  double seconds;
  unsigned long count; /* 0: until it is interrupted */
  bool json, screen;
};

static void show(const struct options *o, const struct sample *last, const struct sample *now,
                 bool first) {
  struct row *rows = rows_between(last, now);
  if (!rows) return;
  if (o->screen) printf(SCREEN_HOME);
  if (!o->screen && !o->json && !first) putchar('\n');
  if (o->json)
    print_json(now, rows);
  else
    print_table(now, rows, o->screen);
  if (o->screen) printf(SCREEN_BOTTOM);
  fflush(stdout);
  free(rows);
}

/* @param now  the last answer: a sample, or when it returns false what came in place of one */
static bool refresh(int control, const struct options *o, struct sample *now) {
  struct sample last = {0};
  bool good = take(control, now);
  for (unsigned long n = 0; good && (!o->count || n < o->count); n++) {
    drop(&last);
    last = *now;
    now->reply = NULL;
    interval_sleep_until(last.at + o->seconds);
    if (interrupted || ferror(stdout)) break;
    good = take(control, now);
    if (good) show(o, &last, now, n == 0);
  }
  drop(&last);
  return good;
}

static bool parse(int *argc, char **argv, struct options *o) {
  const char *count;
  char *end;
  *o = (struct options){.seconds = 1, .json = option_flag(argc, argv, "json")};
  if (!interval_option(argc, argv, &o->seconds)) return false;
  count = option_value(argc, argv, "n");
  if (count) {
    o->count = strtoul(count, &end, 10);
    if (*end || *count == '-' || o->count == 0) return false;
  }
  o->screen = !o->json && isatty(STDOUT_FILENO);
  return *argc == 1;
}

int top_command(const struct instance *instance, int argc, char **argv) {
  struct options o;
  if (!parse(&argc, argv, &o)) {
    fprintf(stderr, "usage: prctl top [-d SECONDS] [-n COUNT] [--json]\n");
    return EXIT_USAGE;
  }
  int control = instance_connect(instance);
  if (control < 0) return EXIT_FAILURE;
  /* A second signal ends it at once: the instance might not answer. */
  const struct sigaction once = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &once, NULL);
  sigaction(SIGTERM, &once, NULL);
  struct sample now;
  if (o.screen) printf(SCREEN_ENTER);
  bool good = refresh(control, &o, &now);
  if (o.screen) printf(SCREEN_LEAVE);
  fflush(stdout); /* a message would go with the other screen */
  if (good)
    drop(&now);
  else
    control_refused(now.reply);
  close(control);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
