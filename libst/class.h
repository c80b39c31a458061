#ifndef LIBST_CLASS_H
#define LIBST_CLASS_H

/** Fills the tables of block sizes. */
void classes_make(void);

#endif
