/* Alters what goes from an old version to a new one, at one place after the other:
 *   update-alter stream OLD NEW    a byte of a packet, its length, its descriptors, their order
 *   update-alter section OLD NEW   a byte of either executable's metadata, or its length
 * Each time the new version must refuse or end, and the old one go on with all that it had. At the
 * end it is updated unaltered. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libst/meta.h"
#include "libst/meta_pack.h"
#include "tests/updates/version.h"

enum { TIMEOUT_S = 1200, PACKETS_MAX = 8, FDS_MAX = 253, SECTION_STEPS = 100 };

struct packet {
  unsigned char *bytes;
  size_t count;
  int fds[FDS_MAX];
  size_t fd_count;
};

/* ---- packets ---- */

/* Takes what is in a socket; it has been sent already. */
static size_t take_packets(int from, struct packet *packets) {
  static unsigned char room[256 * 1024];
  size_t count = 0;
  for (; count < PACKETS_MAX; count++) {
    char control[CMSG_SPACE(FDS_MAX * sizeof(int))] __attribute__((aligned(8)));
    struct iovec iov = {room, sizeof(room)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(from, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got <= 0) break;
    struct packet *p = &packets[count];
    *p = (struct packet){.bytes = malloc((size_t)got), .count = (size_t)got};
    memcpy(p->bytes, room, p->count);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (!c) continue;
    p->fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(p->fds, CMSG_DATA(c), p->fd_count * sizeof(int));
  }
  return count;
}

static void send_packet(int to, const struct packet *p) {
  char control[CMSG_SPACE(FDS_MAX * sizeof(int))] __attribute__((aligned(8))) = {0};
  struct iovec iov = {p->bytes, p->count};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  if (p->fd_count > 0) {
    msg.msg_control = control;
    msg.msg_controllen = CMSG_SPACE(p->fd_count * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(p->fd_count * sizeof(int));
    memcpy(CMSG_DATA(c), p->fds, p->fd_count * sizeof(int));
  }
  /* A new version that has refused already takes no more. */
  if (sendmsg(to, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE && errno != ECONNRESET)
    fail("sendmsg");
}

static void drop_packets(struct packet *packets, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < packets[i].fd_count; k++)
      close(packets[i].fds[k]);
    free(packets[i].bytes);
  }
}

/* ---- what is done to them ---- */

enum kind { NOTHING, FLIP, CUT, DROP, TWICE, FEWER_FDS, MORE_FDS, KINDS };

struct alteration {
  enum kind kind;
  size_t packet, place;
};

static void send_altered(int to, struct packet *p, const struct alteration *a) {
  if (a->kind == DROP) return;
  struct packet altered = *p;
  if (a->kind == FLIP) altered.bytes[a->place] ^= (unsigned char)(1 << a->place % 8);
  if (a->kind == CUT) altered.count = a->place;
  if (a->kind == FEWER_FDS) altered.fd_count = 0;
  if (a->kind == MORE_FDS) altered.fds[altered.fd_count++] = to;
  send_packet(to, &altered);
  if (a->kind == TWICE) send_packet(to, &altered);
}

/* How many places there are for this. */
static size_t places(enum kind kind, const struct packet *p) {
  return kind == FLIP || kind == CUT ? p->count : 1;
}

/* ---- the stream ---- */

/* Updates with an alteration. @return whether there was such a place */
static bool update(struct version *old, const char *path, const struct alteration *a) {
  struct version new = start(path, true);
  int from[2], to[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, from) < 0 ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, to) < 0)
    fail("socketpair");
  must(&new, COMMAND_PLAN, old->exe, "plan");
  must(old, COMMAND_PREPARE, from[1], "prepare");
  tell(&new, COMMAND_IMPORT, to[1]);
  must(old, COMMAND_EXPORT, -1, "export");
  close(from[1]);
  close(to[1]);
  struct packet packets[PACKETS_MAX];
  size_t count = take_packets(from[0], packets);
  bool there = a->packet < count && a->place < places(a->kind, &packets[a->packet]);
  for (size_t i = 0; i < count; i++)
    send_altered(to[0], &packets[i],
                 there && i == a->packet ? a : &(struct alteration){.kind = NOTHING});
  shutdown(to[0], SHUT_WR);
  int err = answer_of(&new);
  if (a->kind == NOTHING && !err) must(&new, COMMAND_COMMIT, -1, "commit");
  drop_packets(packets, count);
  close(from[0]);
  close(to[0]);
  /* What comes after the last packet is not looked at. */
  bool harmless = a->kind == NOTHING || (a->kind == TWICE && a->packet + 1 == count);
  if (!harmless && there && !err) {
    fprintf(stderr, "alteration %d of packet %zu at %zu was not noticed\n", a->kind, a->packet,
            a->place);
    exit(1);
  }
  if (a->kind == NOTHING && err) fail("the old version cannot be updated any more");
  if (a->kind == NOTHING) {
    must(&new, COMMAND_VERIFY, -1, "verify");
    stop(&new);
    return there;
  }
  stop(&new);
  must_go_on(old);
  return there;
}

static void alter_stream(struct version *old, const char *path) {
  unsigned done = 0;
  for (enum kind kind = FLIP; kind < KINDS; kind++)
    for (size_t packet = 0;; packet++) {
      struct alteration a = {kind, packet, 0};
      size_t step = kind == CUT ? 11 : 3;
      while (update(old, path, &a)) {
        a.place += step;
        done++;
      }
      if (a.place == 0) break;
    }
  printf("%u alterations\n", done);
  update(old, path, &(struct alteration){.kind = NOTHING});
}

/* ---- sections ---- */

static void find_section(const unsigned char *file, size_t *start, size_t *bytes) {
  const Elf64_Ehdr *elf = (const void *)file;
  const Elf64_Shdr *sections = (const void *)(file + elf->e_shoff);
  const char *names = (const char *)file + sections[elf->e_shstrndx].sh_offset;
  for (unsigned i = 0; i < elf->e_shnum; i++) {
    if (strcmp(names + sections[i].sh_name, ST_META_SECTION) != 0) continue;
    *start = sections[i].sh_offset;
    *bytes = sections[i].sh_size;
  }
}

/* Alters a bit, or the next one that means something: deflated data can say the same in several
 * ways. */
static void flip(unsigned char *section, size_t bytes, size_t at, int bit) {
  size_t good_bytes, bad_bytes = 0;
  unsigned char *good = st_meta_unpack(section, bytes, &good_bytes);
  while (good && at < bytes) {
    section[at] ^= (unsigned char)bit;
    unsigned char *bad = st_meta_unpack(section, bytes, &bad_bytes);
    bool same = bad && bad_bytes == good_bytes && memcmp(bad, good, good_bytes) == 0;
    free(bad);
    if (!same) break;
    section[at++] ^= (unsigned char)bit;
  }
  free(good);
}

/* A copy of an executable, altered at a place of its metadata, or cut there. */
static int altered_copy(const char *path, size_t place, size_t steps, bool cut) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC), copy = memfd_create("altered", 0);
  if (fd < 0 || copy < 0 || fstat(fd, &st) < 0) fail(path);
  unsigned char *bytes = malloc((size_t)st.st_size);
  if (read(fd, bytes, (size_t)st.st_size) != st.st_size) fail(path);
  size_t start = 0, count = 0, whole = (size_t)st.st_size;
  find_section(bytes, &start, &count);
  size_t at = start + place * count / steps;
  flip(bytes + start, count, at - start, 1 << place % 8);
  if (cut) whole = at;
  if (count == 0 || write(copy, bytes, whole) != (ssize_t)whole) fail("write");
  free(bytes);
  close(fd);
  return copy;
}

static void write_file(int from, const char *path) {
  struct stat st;
  off_t at = 0;
  int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  if (to < 0 || fstat(from, &st) < 0 ||
      sendfile(to, from, &at, (size_t)st.st_size) != (ssize_t)st.st_size || close(to) < 0)
    fail(path);
}

/* The old version's metadata is altered: the plan must be refused. */
static void alter_old(struct version *old, const char *old_path, const char *path, size_t place,
                      bool cut) {
  int copy = altered_copy(old_path, place, SECTION_STEPS, cut);
  struct version new = start(path, true);
  if (ask(&new, COMMAND_PLAN, copy) == 0) fail("altered metadata was taken");
  close(copy);
  stop(&new);
  must(old, COMMAND_VERIFY, -1, "verify");
}

/* The new version's own is altered: it must not come to a plan. */
static void alter_new(struct version *old, const char *path, size_t place) {
  char name[4096];
  int copy = altered_copy(path, place, SECTION_STEPS, false);
  /* Beside the original, where it finds its libraries. */
  snprintf(name, sizeof(name), "%s.altered.%d", path, getpid());
  write_file(copy, name);
  close(copy);
  struct version new = start(name, true);
  if (told(&new, COMMAND_PLAN, old->exe) && answer_of(&new) == 0)

    fail("a new version with altered metadata runs");
  unlink(name);
  stop(&new);
  must(old, COMMAND_VERIFY, -1, "verify");
}

static void alter_sections(struct version *old, const char *old_path, const char *path) {
  for (size_t place = 0; place < SECTION_STEPS; place++) {
    alter_old(old, old_path, path, place, false);
    alter_old(old, old_path, path, place, true);
    alter_new(old, path, place);
  }
  update(old, path, &(struct alteration){.kind = NOTHING});
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  alarm(TIMEOUT_S);
  struct version old = start(argv[2], false);
  must(&old, COMMAND_BUILD, -1, "build");
  if (strcmp(argv[1], "stream") == 0)
    alter_stream(&old, argv[3]);
  else
    alter_sections(&old, argv[2], argv[3]);
  stop(&old);
  return 0;
}
