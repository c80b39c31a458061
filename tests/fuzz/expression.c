/* Fuzzes the expressions of state filters: compiled against the metadata of $FUZZ_SUBJECT, and
 * evaluated over memory in which every word is the address of another one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libst/meta.h"
#include "libst/st.h"
#include "tests/fuzz/seeds.h"

enum { WORDS = 1 << 13 };

static uint64_t *memory; /* of its own, so that a wrong access is found */
static uint64_t first;   /* link-time address of the first variable */
static struct st_meta *meta;

bool st_addressable(const void *p, size_t bytes) {
  uintptr_t at = (uintptr_t)p - (uintptr_t)memory;
  return at < WORDS * sizeof(*memory) && bytes <= WORDS * sizeof(*memory) - at;
}

uintptr_t st_image_base(void) {
  return (uintptr_t)memory - first;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  const char *exe = getenv("FUZZ_SEED");
  if (exe) {
    seed_write(exe, strlen(exe));
    exit(0);
  }
  char error[200];
  meta = seed_metadata(getenv("FUZZ_SUBJECT"), error);
  first = meta->header->variables.count ? meta->variables[0].address & ~63ul : 0;
  memory = malloc(WORDS * sizeof(*memory));
  for (size_t i = 0; i < WORDS; i++)
    memory[i] = i % 3 ? (uintptr_t)&memory[i * 7919 % WORDS] : i;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char error[128], *text = malloc(size + 1);
  memcpy(text, data, size);
  text[size] = 0;
  struct st_filter *filter = st_filter_compile(meta, text, error, sizeof(error));
  if (filter) st_filter_eval(filter);
  st_filter_free(filter);
  free(text);
  return 0;
}
