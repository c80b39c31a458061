#ifndef LIBST_IMPORT_H
#define LIBST_IMPORT_H

/** Gives back what an import needed; not before the new version serves again. */
void import_release(void);

#endif
