/* Which version this is, as FS_COUNTS tells. */
#ifndef PROTEOS_STORAGE_VERSION_H
#define PROTEOS_STORAGE_VERSION_H

enum { STORAGE_VERSION = 1 };

#endif
