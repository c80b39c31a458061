/* A harness that is run with FUZZ_SEED writes a good input to $FUZZ_SEED_OUT and ends. */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

#include <stddef.h>

struct st_meta;

/** Opens the metadata of an executable; ends the program when that fails.
 * @param error  room for 200 bytes */
struct st_meta *seed_metadata(const char *exe, char *error);
void seed_write(const void *data, size_t bytes);

#endif
