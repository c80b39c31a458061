/* The options of the update in progress. */
#ifndef LIBST_OPTIONS_H
#define LIBST_OPTIONS_H

struct st_options;

/** @param from  may be NULL: no options
 * @return owned by the caller (st_options_free()), or NULL without memory */
struct st_options *options_copy(const struct st_options *from);

#endif
