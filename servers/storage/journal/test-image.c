#include "servers/storage/journal/test-image.h"

#include <check.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "servers/storage/journal/state.h"

enum { JOURNAL_BLOCKS = 1024, IMAGE_BLOCKS = 2560 };

static void make_path(char *path, size_t size) {
  const char *folder = getenv("TMPDIR");
  snprintf(path, size, "%s/journal-XXXXXX", folder ? folder : "/tmp");
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  close(fd);
}

__attribute__((format(printf, 1, 2))) static int run(const char *format, ...) {
  char command[600];
  va_list args;
  va_start(args, format);
  vsnprintf(command, sizeof command, format, args);
  va_end(args);
  int status = system(command);
  ck_assert(status >= 0 && WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void read_file(const char *path, uint8_t *bytes, size_t n) {
  FILE *f = fopen(path, "re");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fread(bytes, 1, n, f), n);
  fclose(f);
}

static void write_file(const char *path, const uint8_t *bytes, size_t n) {
  FILE *f = fopen(path, "we");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
}

/* ---- what libext2fs knows of the image ---- */

static struct journal_extent *extents_of(struct image *m) {
  return (struct journal_extent *)m->geometry.extents;
}

static int add_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t at, blk64_t ref, int offset,
                     void *arg) {
  (void)fs, (void)ref, (void)offset;
  struct image *m = arg;
  struct journal_geometry *g = &m->geometry;
  struct journal_extent *last = g->nextents ? extents_of(m) + g->nextents - 1 : NULL;
  if (at < 0) return 0; /* a block of the map itself */
  if (last && last->block + last->count == *block) {
    last->count++;
    return 0;
  }
  g->extents = realloc(extents_of(m), (g->nextents + 1) * sizeof *g->extents);
  extents_of(m)[g->nextents++] = (struct journal_extent){(uint32_t)at, 1, *block};
  return 0;
}

/* Opens an image for writing. */
static ext2_filsys open_image(const char *path) {
  ext2_filsys fs;
  ck_assert_int_eq(ext2fs_open(path, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs),
                   0);
  return fs;
}

static void close_expecting_recovery(ext2_filsys fs) {
  ext2fs_set_feature_journal_needs_recovery(fs->super);
  ext2fs_mark_super_dirty(fs);
  ck_assert_int_eq(ext2fs_close_free(&fs), 0);
}

static void look_inside(struct image *m, ext2_filsys fs) {
  m->geometry.block_bytes = fs->blocksize;
  m->geometry.fs_blocks = ext2fs_blocks_count(fs->super);
  m->nbytes = m->geometry.fs_blocks * fs->blocksize;
  if (ext2fs_has_feature_64bit(fs->super)) m->geometry.features |= JOURNAL_64BIT;
  if (ext2fs_has_feature_metadata_csum(fs->super)) m->geometry.features |= JOURNAL_CHECKSUM;
  ck_assert_int_eq(ext2fs_block_iterate3(fs, fs->super->s_journal_inum, 0, NULL, add_block, m), 0);
  ck_assert_int_eq(ext2fs_read_bitmaps(fs), 0);
  m->unused = calloc(m->geometry.fs_blocks, sizeof *m->unused);
  for (uint64_t b = fs->super->s_first_data_block; b < m->geometry.fs_blocks; b++)
    if (!ext2fs_test_block_bitmap2(fs->block_map, b)) m->unused[m->nunused++] = b;
}

struct image image_make(uint32_t block_bytes, const char *options) {
  struct image m = {0};
  char path[300];
  make_path(path, sizeof path);
  ck_assert_int_eq(run("mkfs.ext4 -q -F -b %u -N 16 -J size=%u %s %s %u 2>/dev/null", block_bytes,
                       JOURNAL_BLOCKS * (block_bytes / 1024) / 1024, options, path, IMAGE_BLOCKS),
                   0);
  ext2_filsys fs = open_image(path);
  look_inside(&m, fs);
  close_expecting_recovery(fs);
  m.bytes = malloc(m.nbytes);
  read_file(path, m.bytes, m.nbytes);
  unlink(path);
  return m;
}

void image_free(struct image *m) {
  free(m->bytes);
  free(m->unused);
  free(extents_of(m));
}

uint8_t *image_block(const struct image *m, uint64_t block) {
  return m->bytes + block * m->geometry.block_bytes;
}

struct jbd2_superblock *image_superblock(const struct image *m) {
  return (struct jbd2_superblock *)image_block(m, m->geometry.extents[0].block);
}

void image_checksum(struct image *m) {
  struct jbd2_superblock *s = image_superblock(m);
  if (!(be32toh(s->incompat) & (JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3))) return;
  s->checksum_type = JBD2_CRC32C;
  s->checksum = checksum_of_superblock(s);
}

void image_shorten_log(struct image *m, uint32_t blocks) {
  image_superblock(m)->first = htobe32(JOURNAL_BLOCKS - blocks);
  image_checksum(m);
}

void image_expect_recovery(struct image *m) {
  char path[300];
  make_path(path, sizeof path);
  write_file(path, m->bytes, m->nbytes);
  close_expecting_recovery(open_image(path));
  read_file(path, m->bytes, m->nbytes);
  unlink(path);
}

void image_judge(const struct image *m, uint8_t *bytes) {
  char path[300];
  make_path(path, sizeof path);
  write_file(path, bytes, m->nbytes);
  int status = run("e2fsck -fy %s >%s.out 2>&1", path, path);
  if (status > 1) run("cat %s.out", path);
  ck_assert_int_le(status, 1);
  read_file(path, bytes, m->nbytes);
  unlink(path);
  strcat(path, ".out");
  unlink(path);
}

void image_save(const struct image *m, const uint8_t *bytes, const char *path) {
  write_file(path, bytes, m->nbytes);
}
