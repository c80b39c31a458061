/* Whether an executable still has its symbols. */
#ifndef UPDMGR_SYMBOLS_H
#define UPDMGR_SYMBOLS_H

#include <stdbool.h>

/** @param fd  an ELF file of 64 bits, open for reading; its offset is left alone
 * @return false when it was stripped, or cannot be read */
bool has_symbols(int fd);

#endif
