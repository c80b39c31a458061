/* Reads the state stream (proto/state.proto) on the new version's side. All of it is checked here;
 * the transfer relies on it. */
#ifndef LIBST_READER_H
#define LIBST_READER_H

struct transfer;

/** Waits for the prelude: maps the snapshot and adopts the heap. Takes over `channel`.
 * @return 0, -EPROTO when it is no such stream, -EPIPE when the old version went away, ... */
int reader_begin(struct transfer *t, int channel);
/** Waits for the header: images, mappings, and the numbers of descriptors, which are reserved. */
int reader_header(struct transfer *t);
/** Before commit: whether all descriptors lie in the channel, as the header says; they stay there.
 */
int reader_descriptors_check(void);
/** After commit: the descriptors take their places. Ends the stream. */
int reader_descriptors(void);
/** Closes the channel. */
void reader_end(void);

#endif
