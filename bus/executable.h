/* Executables of components, and whether they may run (manifest: updates: require-signature). */
#ifndef PROTEOS_EXECUTABLE_H
#define PROTEOS_EXECUTABLE_H

#include "bus/endpoint.h"

/** Opens what a component starts from. Where signatures are required it is a sealed copy, whose
 * signature by the manifest's key was checked: what was checked is what runs.
 * @param why  receives the reason when it is refused
 * @return a descriptor, owned by the caller, or a negative errno */
int executable_open(const struct manifest_component *c, char *why, size_t cap);

/** Opens a program: a name below the manifest's root/bin, or a path below its root; links that lead
 * out of it are not followed. Where signatures are required it is a sealed copy as well.
 * @return a descriptor, owned by the caller, or a negative errno: -EACCES it is not executable, or
 *         not signed (which is logged), -ENOEXEC it is no program */
int executable_open_program(const char *file);

/** Whether a descriptor from um may become a version: where signatures are required it must be
 * sealed, and signed or the file that runs already.
 * @return 0 or a negative errno: -EPERM it is not sealed, others as signature_check() */
int executable_check(const struct endpoint *e, int fd, const void *signature, size_t bytes);

/** Its path, for people; of a sealed copy that of the original. @return to be freed, or NULL */
char *executable_path(int fd);

#endif
