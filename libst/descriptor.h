/* Descriptors as state: listing those of the program, and reserving the old version's numbers in a
 * new one until commit. */
#ifndef LIBST_DESCRIPTOR_H
#define LIBST_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>

struct descriptor {
  int number;
  bool close_on_exec;
};

/** Opens what the other calls need, before the sandbox closes. */
int descriptors_init(void);
/** Moves a descriptor of libst's own out of the way of the program's numbers, close-on-exec, and
 * excludes it from the state. @return the new number (the old one is closed), or a negative errno
 */
int descriptor_hide(int fd);
/** Closes a descriptor that was hidden. */
void descriptor_close(int fd);

/** Looks for numbers that programs rarely use; slow, hence before descriptors_list(). */
int descriptors_prepare(void);
/** Lists the program's descriptors.
 * @param list  receives an array, owned by the caller
 * @return their number or a negative errno */
int descriptors_list(struct descriptor **list);
/** Reserves `number`. @return 0, -EBUSY when the runtime itself uses it, or a negative errno */
int descriptor_reserve(int number);
/** Puts a received descriptor in the place of its placeholder and closes `received`. */
int descriptor_restore(int received, const struct descriptor *d);

#endif
