/* The file in which um records update transactions. busd opens it, as um may open nothing. */
#ifndef PROTEOS_BUS_JOURNAL_H
#define PROTEOS_BUS_JOURNAL_H

/** When the journal has grown to this it becomes journal.1 at the instance's next boot, in place of
 * the one before. */
#define JOURNAL_MAX_BYTES (1u << 20)

/** The journal, opened at the first call. @return a descriptor, or a negative errno */
int journal_fd(void);

#endif
