/* Asks other components what a test tells it to, over the wire "remote-NAME", NAME being its own. A
 * plain program. Each line "COMPONENT TYPE VALUE" (hexadecimal, decimal) is a sys_sendrec() with
 * that value in front of its body, and is answered by a line with the error, the reply's status and
 * its body, in hexadecimal. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsys/sys.h"

static int wire;

static void read_line(char *line, size_t cap) {
  size_t n = 0;
  do {
    if (n + 1 == cap || read(wire, line + n, 1) != 1) exit(EXIT_SUCCESS);
  } while (line[n++] != '\n');
  line[n] = 0;
}

static void ask(const char *line) {
  char name[32], answer[256];
  msg_t m = {0};
  if (sscanf(line, "%31s %" SCNx32 " %" SCNu64, name, &m.type, &m.u64[0]) != 3) exit(EXIT_FAILURE);
  int error = sys_sendrec(sys_lookup(name), &m);
  int n = snprintf(answer, sizeof(answer), "%d %d ", error, m.status);
  for (unsigned i = 0; i < sizeof(m.body); i++)
    n += snprintf(answer + n, sizeof(answer) - (size_t)n, "%02x", m.body[i]);
  answer[n++] = '\n';
  if (write(wire, answer, (size_t)n) != n) exit(EXIT_FAILURE);
}

int main(void) {
  char line[128];
  sys_startup(NULL);
  snprintf(line, sizeof(line), "remote-%s", sys_name(sys_self()));
  wire = sys_inherited(line);
  while (1) {
    read_line(line, sizeof(line));
    ask(line);
  }
}
