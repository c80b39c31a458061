/* Which file of storage a request is about. */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

#include <stdbool.h>
#include <stddef.h>

/** Appends the path of a URL to `root`, its %XX taken apart.
 * @return 0, or the HTTP status that refuses it: 400 (a part "..", %2F, a control
 * character, a broken %), 404 (it
 * does not fit) */
int site_path(const char *root, const char *url, char *path, size_t bytes);
/** The media type by the name's suffix. */
const char *site_type(const char *path);

#endif
