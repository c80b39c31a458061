#include "quota.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "area.h"
#include "libst/annotate.h"
#include "libsys/sys.h"

/* Each version has its own arguments. */
static struct {
  uint64_t quota;
  uint32_t patience_ms;
  struct {
    char name[32];
    uint64_t bytes;
  } by_name[QUOTAS_MAX];
  unsigned count;
} limits = {.quota = QUOTA_DEFAULT_BYTES, .patience_ms = QUOTA_PATIENCE_MS};
ST_VAR(limits, dont_transfer);

static bool parse(const char *text, uint64_t *value) {
  char *end;
  if (!isdigit((unsigned char)*text)) return false;
  unsigned long long n = strtoull(text, &end, 10);
  unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
  if (shift) end++;
  if (*end || n > UINT64_MAX >> (shift + 1)) return false;
  *value = n << shift;
  return true;
}

/* What is said last counts. */
static bool set_named(const char *name, size_t n, uint64_t bytes) {
  unsigned i = 0;
  while (i < limits.count &&
         (strlen(limits.by_name[i].name) != n || memcmp(limits.by_name[i].name, name, n) != 0))
    i++;
  if (i == QUOTAS_MAX) return false;
  if (i == limits.count) limits.count++;
  memcpy(limits.by_name[i].name, name, n);
  limits.by_name[i].bytes = bytes;
  return true;
}

bool quota_argument(const char *text) {
  const char *equals = strchr(text, '=');
  uint64_t value;
  size_t n = equals ? (size_t)(equals - text) : 0;
  if (n == 0 || n >= sizeof(limits.by_name[0].name) || !parse(equals + 1, &value)) return false;
  if (strncmp(text, "quota=", n + 1) == 0) {
    limits.quota = value;
  } else if (strncmp(text, "patience=", n + 1) == 0) {
    if (value == 0 || value > 60000) return false;
    limits.patience_ms = (uint32_t)value;
  } else {
    return set_named(text, n, value);
  }
  return true;
}

uint64_t quota_of(endpoint_t e) {
  const char *name = sys_name(e);
  for (unsigned i = 0; i < limits.count; i++)
    if (strcmp(limits.by_name[i].name, name) == 0) return limits.by_name[i].bytes;
  return limits.quota;
}

uint32_t quota_patience_ms(void) {
  return limits.patience_ms;
}

bool quota_account(endpoint_t e, struct mem_account *account) {
  const struct grant *g;
  *account = (struct mem_account){.endpoint = e};
  for (const struct area *a = areas; a < areas + AREAS_MAX; a++) {
    if (a->state != AREA_FREE && a->owner == e) {
      account->areas++;
      account->bytes += area_bytes(a);
    }
    LIST_FOREACH (g, &a->grants, link) {
      if (g->holder != e) continue;
      account->grants++;
      account->mapped += g->state != GRANT_GIVEN;
    }
  }
  if (!account->areas && !account->grants) return false;
  account->quota = e ? quota_of(e) : 0;
  return true;
}

bool quota_allows(endpoint_t owner, uint64_t bytes) {
  struct mem_account account;
  quota_account(owner, &account);
  uint64_t quota = quota_of(owner);
  return account.bytes <= quota && bytes <= quota - account.bytes;
}
