#include "apps/httpd/request.h"

#include <string.h>
#include <strings.h>

struct span {
  const char *at;
  size_t length;
};

struct seen {
  bool host, length, coding, close, keep_alive, expects;
  unsigned minor;
};

static bool is_token_char(unsigned char c) {
  return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool is_token(struct span s) {
  for (size_t i = 0; i < s.length; i++)
    if (!is_token_char((unsigned char)s.at[i])) return false;
  return s.length > 0;
}

static bool same(struct span s, const char *word) {
  return s.length == strlen(word) && strncasecmp(s.at, word, s.length) == 0;
}

static struct span trim(struct span s) {
  while (s.length && (s.at[0] == ' ' || s.at[0] == '\t'))
    s.at++, s.length--;
  while (s.length && (s.at[s.length - 1] == ' ' || s.at[s.length - 1] == '\t'))
    s.length--;
  return s;
}

/* Cuts `rest` at the first `c`. @return what is before it; all of it when there is none. */
static struct span cut(struct span *rest, char c) {
  const char *at = memchr(rest->at, c, rest->length);
  struct span first = {rest->at, at ? (size_t)(at - rest->at) : rest->length};
  size_t skip = first.length + (at ? 1 : 0);
  rest->at += skip;
  rest->length -= skip;
  return first;
}

/* Takes the next line, without its end. @return false when it is not complete. */
static bool take_line(struct span *rest, struct span *line) {
  if (!memchr(rest->at, '\n', rest->length)) return false;
  *line = cut(rest, '\n');
  if (line->length && line->at[line->length - 1] == '\r') line->length--;
  return true;
}

static int parse_path(struct span target, struct request *r) {
  if (target.length >= 7 && strncasecmp(target.at, "http://", 7) == 0) {
    target.at += 7;
    target.length -= 7;
    const char *slash = memchr(target.at, '/', target.length);
    size_t authority = slash ? (size_t)(slash - target.at) : target.length;
    target.at += authority;
    target.length -= authority;
    if (!target.length) target = (struct span){"/", 1};
  }
  if (!target.length || (target.at[0] != '/' && !same(target, "*"))) return -400;
  for (size_t i = 0; i < target.length; i++)
    if ((unsigned char)target.at[i] <= ' ' || target.at[i] == 0x7f) return -400;
  struct span path = cut(&target, '?');
  r->cut = path.length >= sizeof r->path;
  if (r->cut) path.length = sizeof r->path - 1;
  memcpy(r->path, path.at, path.length);
  r->path[path.length] = 0;
  return 0;
}

static int parse_line(struct span line, struct request *r, struct seen *seen) {
  struct span method = cut(&line, ' '), target = cut(&line, ' '), version = line;
  if (!is_token(method)) return -400;
  if (method.length == 3 && memcmp(method.at, "GET", 3) == 0)
    r->method = REQUEST_GET;
  else if (method.length == 4 && memcmp(method.at, "HEAD", 4) == 0)
    r->method = REQUEST_HEAD;
  else if (method.length == 3 && memcmp(method.at, "PUT", 3) == 0)
    r->method = REQUEST_PUT;
  else
    r->method = REQUEST_OTHER;
  if (version.length != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[6] != '.')
    return -400;
  if (version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' || version.at[7] > '9')
    return -400;
  if (version.at[5] != '1') return -505;
  seen->minor = (unsigned)(version.at[7] - '0');
  return parse_path(target, r);
}

static int parse_length(struct span value, struct request *r, struct seen *seen) {
  uint64_t n = 0;
  if (!value.length || value.length > 18) return -400;
  for (size_t i = 0; i < value.length; i++) {
    if (value.at[i] < '0' || value.at[i] > '9') return -400;
    n = n * 10 + (uint64_t)(value.at[i] - '0');
  }
  if (seen->length && n != r->body_bytes) return -400;
  seen->length = true;
  r->body_bytes = n;
  return 0;
}

static void parse_connection(struct span value, struct seen *seen) {
  while (value.length) {
    struct span option = trim(cut(&value, ','));
    if (same(option, "close")) seen->close = true;
    if (same(option, "keep-alive")) seen->keep_alive = true;
  }
}

static int parse_header(struct span line, struct request *r, struct seen *seen) {
  struct span value = line;
  struct span name = cut(&value, ':');
  if (name.length == line.length || !is_token(name)) return -400; /* also a folded line */
  for (size_t i = 0; i < value.length; i++) {
    unsigned char c = (unsigned char)value.at[i];
    if ((c < ' ' && c != '\t') || c == 0x7f) return -400;
  }
  value = trim(value);
  if (same(name, "host")) {
    if (seen->host) return -400;
    seen->host = true;
  } else if (same(name, "content-length")) {
    return parse_length(value, r, seen);
  } else if (same(name, "transfer-encoding")) {
    seen->coding = true;
  } else if (same(name, "connection")) {
    parse_connection(value, seen);
  } else if (same(name, "expect")) {
    seen->expects = same(value, "100-continue");
  }
  return 0;
}

static int parse_headers(struct span *rest, struct request *r, struct seen *seen) {
  struct span line;
  while (take_line(rest, &line)) {
    if (!line.length) return 1;
    int e = parse_header(line, r, seen);
    if (e < 0) return e;
  }
  return rest->length > REQUEST_HEAD_MAX_BYTES ? -431 : 0;
}

int request_parse(const char *data, size_t length, struct request *r) {
  struct span rest = {data, length}, line = {data, 0};
  struct seen seen = {0};
  memset(r, 0, sizeof *r);
  /* Empty lines before a request are tolerated (RFC 9112, 2.2). */
  do {
    if (!take_line(&rest, &line)) {
      if (rest.length > REQUEST_LINE_MAX_BYTES) return -414;
      return length >= REQUEST_HEAD_MAX_BYTES ? -431 : 0;
    }
  } while (!line.length);
  if (line.length > REQUEST_LINE_MAX_BYTES) return -414;
  int e = parse_line(line, r, &seen);
  if (e < 0) return e;
  e = parse_headers(&rest, r, &seen);
  if (e < 0) return e;
  size_t head = (size_t)(rest.at - data);
  if (e == 0) return length >= REQUEST_HEAD_MAX_BYTES ? -431 : 0;
  if (head > REQUEST_HEAD_MAX_BYTES) return -431;
  if (seen.coding) return seen.length ? -400 : -501;
  if (seen.minor >= 1 && !seen.host) return -400;
  r->has_body = seen.length;
  r->expects = seen.expects;
  r->keep_alive = !seen.close && (seen.minor >= 1 || seen.keep_alive);
  return (int)head;
}
