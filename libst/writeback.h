#ifndef LIBST_WRITEBACK_H
#define LIBST_WRITEBACK_H

/** The heap is a private copy, and may be written back from now on: st_writeback_slice(). */
void writeback_begin(void);

#endif
