/* What a transfer will need, guessed while the old version still runs: memory is cheaper then. */
#ifndef LIBST_FORECAST_H
#define LIBST_FORECAST_H

struct transfer;

/** Looks through the page map of the old version's heap, which may change meanwhile; faults in the
 * spans that the transfer will read and fresh memory for the blocks that will move. A wrong guess
 * costs time, nothing else. */
void forecast(struct transfer *t);

#endif
