/* Signed versions only, where the manifest requires it (updates: require-signature). busd checks
 * again when a version is loaded; here a request is refused at once. */
#ifndef UPDMGR_SIGNED_H
#define UPDMGR_SIGNED_H

#include "updmgr/member.h"

/** Takes um's argument key=HEXADECIMAL: from now on members must be signed by this key.
 * @return false when it is another argument, or no key */
bool signed_argument(const char *arg);

/** Replaces a member's executable by a sealed copy, which nobody can change any more, and checks
 * the signature of that, unless none is required or it is the file that runs already.
 * @param running_fd  of its running version
 * @param why         receives the reason on failure
 * @return 0 or a negative errno */
int signed_check(struct member *m, int running_fd, char *why, size_t cap);

#endif
