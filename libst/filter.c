#include <stdlib.h>

#include "libst/filter_tree.h"
#include "libst/st.h"

struct st_filter {
  struct filter_tree tree;
};

struct st_filter *st_filter_compile(const struct st_meta *meta, const char *text, char *error,
                                    size_t error_cap) {
  struct st_filter *filter = calloc(1, sizeof *filter);
  if (filter && filter_parse(&filter->tree, meta, NULL, text, error, error_cap) == 0) return filter;
  st_filter_free(filter);
  return NULL;
}

int st_filter_eval(const struct st_filter *filter) {
  return filter_evaluate(&filter->tree);
}

void st_filter_free(struct st_filter *filter) {
  if (!filter) return;
  free(filter->tree.nodes);
  free(filter);
}
