#include "media.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "libst/fault.h"

void media_open_memory(struct media *m, void *memory, uint64_t bytes) {
  *m = (struct media){.memory = memory, .fd = -1, .bytes = bytes};
}

int media_open_file(struct media *m, int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  if (st.st_size < LBA_BYTES) return -ENODATA;
  *m = (struct media){.fd = fd, .bytes = (uint64_t)st.st_size};
  return 0;
}

int media_read(const struct media *m, uint64_t offset, void *data, size_t bytes) {
  int error = st_fault("nvme.read", EIO);
  if (error) return error;
  if (m->memory) {
    memcpy(data, m->memory + offset, bytes);
    return 0;
  }
  for (size_t done = 0; done < bytes;) {
    ssize_t n = pread(m->fd, (char *)data + done, bytes - done, (off_t)(offset + done));
    if (n <= 0) return n < 0 ? -errno : -EIO; /* the file has become shorter */
    done += (size_t)n;
  }
  return 0;
}

int media_write(const struct media *m, uint64_t offset, const void *data, size_t bytes) {
  int error = st_fault("nvme.write", EIO);
  if (error) return error;
  if (m->memory) {
    memcpy(m->memory + offset, data, bytes);
    return 0;
  }
  for (size_t done = 0; done < bytes;) {
    ssize_t n = pwrite(m->fd, (const char *)data + done, bytes - done, (off_t)(offset + done));
    if (n <= 0) return n < 0 ? -errno : -EIO;
    done += (size_t)n;
  }
  return 0;
}

int media_sync(const struct media *m) {
  int error = st_fault("nvme.sync", EIO);
  if (error || m->memory) return error;
  return fdatasync(m->fd) < 0 ? -errno : 0;
}
