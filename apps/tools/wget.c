/* wget [-q] [-O FILE] [http://]ADDRESS[:PORT]/PATH: fetches a file over HTTP/1.1 (RFC 9112).
 *
 * ADDRESS is an IPv4 address: the system has no DNS. The file is named by the path's last part, or
 * index.html; "-" is the output. It is kept on the disk when wget ends well, and removed when what
 * came is less than was said. */
#include <stdarg.h>
#include <string.h>

#include "libos/os.h"
#include "libos/pathname.h"

enum { HEAD_MAX_BYTES = 16384 };

struct url {
  char host[16];
  uint16_t port;
  const char *path;
};

struct response {
  int status;
  bool has_length, chunked;
  unsigned long long length;
};

static bool quiet;
static const char *output;
static bool made; /* `output` is ours to remove */

static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *why, ...) {
  va_list args;
  va_start(args, why);
  fflush(stdout);
  fprintf(stderr, "wget: ");
  vfprintf(stderr, why, args);
  fputc('\n', stderr);
  va_end(args);
  if (made) os_unlink(output);
  exit(1);
}

static void parse_url(const char *text, struct url *url) {
  if (strncasecmp(text, "http://", 7) == 0)
    text += 7;
  else if (strncmp(text + strcspn(text, ":/?"), "://", 3) == 0)
    give_up("%s: only http:// is known", text);
  size_t n = strcspn(text, ":/");
  if (n == 0 || n >= sizeof url->host) give_up("%s: no IPv4 address", text);
  memcpy(url->host, text, n);
  url->host[n] = 0;
  url->port = 80;
  text += n;
  if (*text == ':') {
    char *end;
    unsigned long port = strtoul(text + 1, &end, 10);
    if (port == 0 || port > 65535 || (*end && *end != '/')) give_up("%s: no port", text + 1);
    url->port = (uint16_t)port;
    text = end;
  }
  url->path = *text ? text : "/";
}

static FILE *connect_to(const struct url *url) {
  struct sockaddr_in address;
  if (os_resolve(url->host, url->port, &address) < 0)
    give_up("%s: no IPv4 address, and there is no DNS", url->host);
  int fd = os_socket();
  if (fd < 0 || os_connect(fd, &address) < 0)
    give_up("%s:%u: %s", url->host, url->port, os_strerror(errno));
  os_printf(
      fd, "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: proteos-wget\r\nConnection: close\r\n\r\n",
      url->path, url->host, url->port);
  FILE *in = os_fdopen(fd, "r");
  if (!in) give_up("%s", os_strerror(errno));
  setvbuf(in, NULL, _IOFBF, 65536);
  return in;
}

static char *line_of(FILE *in, size_t *budget) {
  static char *line;
  static size_t room;
  ssize_t n = getline(&line, &room, in);
  if (n <= 0) give_up("the server ended the connection in its head");
  if ((size_t)n > *budget) give_up("the server's head is too long");
  *budget -= (size_t)n;
  line[strcspn(line, "\r\n")] = 0;
  return line;
}

static void read_head(FILE *in, struct response *r) {
  size_t budget = HEAD_MAX_BYTES;
  char *line = line_of(in, &budget);
  if (sscanf(line, "HTTP/1.%*d %d", &r->status) != 1) give_up("no HTTP/1 server: %.60s", line);
  while (*(line = line_of(in, &budget))) {
    if (strncasecmp(line, "Content-Length:", 15) == 0) {
      r->has_length = true;
      r->length = strtoull(line + 15, NULL, 10);
    } else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0) {
      r->chunked = strcasestr(line, "chunked") != NULL;
    }
  }
}

static int open_output(void) {
  if (strcmp(output, "-") == 0) return 1;
  int fd = os_open(output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) give_up("%s: %s", output, os_strerror(errno));
  made = true;
  return fd;
}

/* @return bytes copied, at most `most` */
static unsigned long long copy(FILE *in, int out, unsigned long long most) {
  static char buffer[65536];
  unsigned long long done = 0;
  while (done < most) {
    unsigned long long left = most - done;
    size_t n = fread(buffer, 1, left < sizeof buffer ? (size_t)left : sizeof buffer, in);
    if (n == 0) break;
    if (os_write(out, buffer, n) < 0) give_up("%s: %s", output, os_strerror(errno));
    done += n;
  }
  if (ferror(in)) give_up("the connection failed after %llu bytes: %s", done, os_strerror(errno));
  return done;
}

static unsigned long long copy_chunks(FILE *in, int out) {
  unsigned long long total = 0;
  while (1) {
    size_t budget = HEAD_MAX_BYTES;
    unsigned long long n = strtoull(line_of(in, &budget), NULL, 16);
    if (n == 0) return total;
    if (copy(in, out, n) != n) give_up("the connection ended inside of a piece");
    total += n;
    line_of(in, &budget);
  }
}

static const char *name_of(const char *path) {
  static char name[256];
  size_t n = strcspn(path, "?#"), begin = n;
  while (begin && path[begin - 1] != '/')
    begin--;
  if (begin == n || n - begin >= sizeof name) return "index.html";
  memcpy(name, path + begin, n - begin);
  return name;
}

int main(int argc, char **argv) {
  struct url url;
  struct response r = {0};
  int option;
  os_start();
  while ((option = getopt(argc, argv, "qO:")) != -1) {
    if (option == '?') return 2;
    if (option == 'q')
      quiet = true;
    else
      output = optarg;
  }
  if (argc - optind != 1) {
    fprintf(stderr, "usage: wget [-q] [-O FILE] [http://]ADDRESS[:PORT]/PATH\n");
    return 2;
  }
  parse_url(argv[optind], &url);
  if (!output) output = name_of(url.path);
  FILE *in = connect_to(&url);
  read_head(in, &r);
  if (r.status != 200) give_up("the server answers %d", r.status);
  int out = open_output();
  unsigned long long n =
      r.chunked ? copy_chunks(in, out) : copy(in, out, r.has_length ? r.length : ~0ull);
  if (!r.chunked && r.has_length && n < r.length)
    give_up("the connection ended after %llu of %llu bytes", n, r.length);
  if (made && (os_fsync(out) < 0 || os_close(out) < 0))
    give_up("%s: %s", output, os_strerror(errno));
  if (!quiet) fprintf(stderr, "%s: %llu bytes\n", output, n);
  return 0;
}
