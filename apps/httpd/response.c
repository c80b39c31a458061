#include "apps/httpd/response.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/httpd/conns.h"
#include "apps/httpd/site.h"
#include "libsys/socket.h"

#define PAGE_BYTES 768

static const char *reason(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 301:
    return "Moved Permanently";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 411:
    return "Length Required";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 431:
    return "Request Header Fields Too Large";
  case 501:
    return "Not Implemented";
  case 503:
    return "Service Unavailable";
  case 505:
    return "HTTP Version Not Supported";
  case 507:
    return "Insufficient Storage";
  default:
    return "Bad Request";
  }
}

static void __attribute__((format(printf, 2, 3))) append(struct conn *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  size_t room = sizeof c->text->head - c->head_used;
  int n = vsnprintf(c->text->head + c->head_used, room, format, args);
  va_end(args);
  c->head_used += n < 0 ? 0 : (size_t)n < room ? (unsigned)n : (unsigned)room - 1;
}

static void start(struct conn *c, int status, const char *type, uint64_t length) {
  c->head_used = c->head_sent = 0;
  c->body_offset = c->body_bytes = 0;
  append(c, "HTTP/1.1 %d %s\r\nServer: proteos-httpd/%d\r\n", status, reason(status),
         HTTPD_VERSION);
  append(c, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", type, length);
  if (status == 405) append(c, "Allow: GET, HEAD%s\r\n", *response_uploads ? ", PUT" : "");
  append(c, "Connection: %s\r\n\r\n", c->keep_alive ? "keep-alive" : "close");
}

static void text(struct conn *c, int status, const char *page, bool with_body) {
  start(c, status, "text/plain", strlen(page));
  if (with_body) append(c, "%s", page);
}

static void problem(struct conn *c, int status, bool with_body) {
  char page[80];
  snprintf(page, sizeof page, "%d %s\n", status, reason(status));
  text(c, status, page, with_body);
}

static void status_page(struct conn *c, bool with_body) {
  char page[PAGE_BYTES];
  msg_t m = {.type = SOCK_STATS};
  struct sock_stats_reply net = {0};
  if (sys_sendrec(sock_server(), &m) == 0 && m.status == 0) net = *IPC_REPLY(&m, sock_stats);
  snprintf(page, sizeof page,
           "proteos httpd\nversion: %d\nuptime_ms: %" PRIu64 "\nrequests: %" PRIu64
           "\nerrors: %" PRIu64 "\naccepted: %" PRIu64 "\nconnections: %u\nconnections_max: %u\n"
           "bytes_sent: %" PRIu64 "\nnet_version: %u\nnet_sockets: %u\nnet_sockets_max: %u\n"
           "net_accepted: %" PRIu64 "\nnet_bytes_sent: %" PRIu64 "\n",
           HTTPD_VERSION, (sys_time_us() - figures.started_us) / 1000, figures.requests,
           figures.errors, figures.accepted, conns_count(), MAX_CONNS, layout_sent_total(),
           net.version, net.sockets, net.sockets_max, net.accepted, net.bytes_sent);
  text(c, 200, page, with_body);
}

char response_root[RESPONSE_DIRECTORY_BYTES], response_uploads[RESPONSE_DIRECTORY_BYTES];

/* A file that was asked for by its path. */
static void open_file(struct conn *c, const struct request *r) {
  char path[TRANSFER_PATH_BYTES];
  bool with_body = r->method != REQUEST_HEAD;
  int status = r->cut ? 404 : site_path(response_root, r->path, path, sizeof path - 16);
  if (status) {
    if (status == 400) figures.errors++;
    problem(c, status, with_body);
    return;
  }
  if (path[strlen(path) - 1] == '/') strcat(path, "index.html");
  c->file = transfer_download(path);
  c->body_bytes = with_body; /* until the file is open */
  if (!c->file) problem(c, 503, with_body);
}

/* A directory, asked for without its slash. */
static void redirect(struct conn *c) {
  const char *path = c->file->path + strlen(response_root);
  c->head_used = c->head_sent = 0;
  c->body_offset = c->body_bytes = 0;
  append(c, "HTTP/1.1 301 %s\r\nLocation: %s", reason(301), *path == '/' ? "" : "/");
  for (; *path && c->head_used + 100u < sizeof c->text->head; path++)
    append(c, isalnum((unsigned char)*path) || strchr("/-._~", *path) ? "%c" : "%%%02X",
           (unsigned char)*path);
  append(c, "/\r\nContent-Length: 0\r\nConnection: %s\r\n\r\n",
         c->keep_alive ? "keep-alive" : "close");
}

void response_file(struct conn *c) {
  const struct transfer *t = c->file;
  bool with_body = c->body_bytes;
  if (t->state == TRANSFER_FAILED) {
    if (t->status != 404 && t->status != 403) figures.errors++;
    problem(c, t->status, with_body);
  } else if (t->directory) {
    redirect(c);
  } else {
    start(c, 200, site_type(t->path), t->end);
    if (with_body) c->body_bytes = t->end;
  }
}

static void begin_upload(struct conn *c, const struct request *r) {
  const char *name = r->path + 8;
  char path[TRANSFER_PATH_BYTES];
  int status = !r->has_body ? 411 : r->cut ? 404 : site_path("", name, path, sizeof path / 2);
  if (!status && (!*path || *path == '.' || strchr(path, '/'))) status = 403;
  if (!status && !(c->file = transfer_upload(response_uploads, path, r->body_bytes))) status = 503;
  if (!status) return;
  figures.errors++;
  response_error(c, status);
}

void response_uploaded(struct conn *c) {
  if (c->file->state == TRANSFER_DONE) {
    text(c, 201, "stored\n", true);
    return;
  }
  figures.errors++;
  response_error(c, c->file->status);
}

/* @return false when `digits` is not a number below 2^50. */
static bool parse_count(const char *digits, uint64_t *n) {
  *n = 0;
  if (!*digits || strlen(digits) > 15) return false;
  for (; *digits; digits++) {
    if (*digits < '0' || *digits > '9') return false;
    *n = *n * 10 + (uint64_t)(*digits - '0');
  }
  return true;
}

void response_make(struct conn *c, const struct request *r) {
  uint64_t n;
  bool with_body = r->method != REQUEST_HEAD;
  c->keep_alive = r->keep_alive;
  c->linger = !r->keep_alive;
  if (r->method == REQUEST_PUT && *response_uploads && strncmp(r->path, "/upload/", 8) == 0) {
    begin_upload(c, r);
    return;
  }
  if (r->body_bytes > RESPONSE_SKIP_MAX_BYTES) {
    figures.errors++;
    response_error(c, 413);
    return;
  }
  c->skip_bytes = r->body_bytes;
  if (r->method == REQUEST_OTHER || r->method == REQUEST_PUT) {
    figures.errors++;
    problem(c, 405, true);
  } else if (strcmp(r->path, *response_root ? "/status" : "/") == 0) {
    status_page(c, with_body);
  } else if (*response_root && strncmp(r->path, "/bytes/", 7) != 0) {
    open_file(c, r);
  } else if (strncmp(r->path, "/bytes/", 7) != 0) {
    problem(c, 404, with_body);
  } else if (!parse_count(r->path + 7, &n)) {
    figures.errors++;
    problem(c, 400, with_body);
  } else {
    start(c, 200, "application/octet-stream", n);
    if (with_body) c->body_bytes = n;
  }
}

void response_error(struct conn *c, int status) {
  c->keep_alive = false;
  c->linger = true;
  c->skip_bytes = 0;
  problem(c, status, true);
}
