#include "hidden.h"
#include "array.h"

#include <stdbool.h>
#include <string.h>

/* libst carries these over for programs that stand alone. */
static const char signal_handlers[] = "signal handlers";

static const struct {
  const char *kept;
  const char *functions[16];
} table[] = {
    {"the random number generator's state",
     {"rand", "srand", "random", "srandom", "initstate", "setstate", "drand48", "erand48",
      "lrand48", "mrand48", "jrand48", "srand48", "seed48", "lcong48"}},
    {"the rest of the string", {"strtok"}},
    {"the locale", {"setlocale", "uselocale"}},
    {"changes of the environment", {"setenv", "unsetenv", "putenv", "clearenv"}},
    {"streams and their buffers",
     {"fopen", "fopen64", "fdopen", "freopen", "popen", "tmpfile", "fmemopen", "open_memstream"}},
    {"directory streams", {"opendir", "fdopendir"}},
    {signal_handlers, {"signal", "sigaction", "sigvec", "bsd_signal", "sysv_signal"}},
    {"functions to be called at exit", {"atexit", "__cxa_atexit", "on_exit"}},
    {"timers", {"timer_create", "setitimer", "alarm", "ualarm"}},
    {"threads", {"pthread_create", "thrd_create"}},
    {"the blocks that it allocates",
     {"getline", "getdelim", "canonicalize_file_name", "get_current_dir_name", "scandir",
      "getaddrinfo"}},
    {"the hash table", {"hcreate", "hsearch"}},
    {"opened libraries", {"dlopen", "dlmopen"}},
    {"a stream's buffer", {"setvbuf", "setbuf", "setbuffer", "setlinebuf"}},
    {"the connection to the system log", {"openlog"}},
    {"the state of a conversion", {"mblen", "mbtowc", "wctomb"}},
};

static const char *kept_by(const char *function, bool alone) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    for (const char *const *f = table[i].functions; *f; f++)
      if (strcmp(*f, function) == 0)
        return alone && table[i].kept == signal_handlers ? NULL : table[i].kept;
  return NULL;
}

static bool imports(const struct exe *exe, Elf_Data *symbols, size_t names, const char *function) {
  GElf_Sym symbol;
  for (int i = 0; symbols && gelf_getsym(symbols, i, &symbol); i++) {
    const char *name = elf_strptr(exe->elf, names, symbol.st_name);
    if (name && symbol.st_shndx == SHN_UNDEF && strcmp(name, function) == 0) return true;
  }
  return false;
}

/* A symbol with a version comes from libc; others may replace its functions, and have none. */
void hidden_warn(const struct exe *exe) {
  Elf_Data *symbols = NULL, *versions = NULL;
  size_t names = 0;
  for (Elf_Scn *s = elf_nextscn(exe->elf, NULL); s; s = elf_nextscn(exe->elf, s)) {
    GElf_Shdr header;
    if (!gelf_getshdr(s, &header)) continue;
    if (header.sh_type == SHT_GNU_versym) versions = elf_getdata(s, NULL);
    if (header.sh_type != SHT_DYNSYM) continue;
    symbols = elf_getdata(s, NULL);
    names = header.sh_link;
  }
  bool alone = imports(exe, symbols, names, "st_startup");
  GElf_Sym symbol;
  for (int i = 0; symbols && gelf_getsym(symbols, i, &symbol); i++) {
    GElf_Versym version = VER_NDX_GLOBAL;
    const char *name = elf_strptr(exe->elf, names, symbol.st_name);
    const char *kept = name && symbol.st_shndx == SHN_UNDEF ? kept_by(name, alone) : NULL;
    if (versions) gelf_getversym(versions, i, &version);
    if (kept && version > VER_NDX_GLOBAL)
      warn("%s: uses %s; an update does not carry over %s, which libc keeps", exe->path, name,
           kept);
  }
}
