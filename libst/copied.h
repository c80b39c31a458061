/* Variables of libraries that lie in the executable, because its linker copied them there:
 * `stdout`, `environ`. They are the library's, and no state. */
#ifndef LIBST_COPIED_H
#define LIBST_COPIED_H

#include <stdint.h>

struct elf_file;

/** Where the library's variable is in this process that an old executable has at a link-time
 * address, or 0. */
uintptr_t copied_follow(const struct elf_file *old_exe, uint64_t link);

#endif
