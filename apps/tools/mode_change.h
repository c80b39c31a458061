/* Permissions as chmod takes them: octal, or such as "u+x", "go-w" and "a=rX" (POSIX, chmod). */
#ifndef PROTEOS_TOOLS_MODE_CHANGE_H
#define PROTEOS_TOOLS_MODE_CHANGE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What "ugoa" may change. */
static inline mode_t mode_of_who(const char **text) {
  static const mode_t masks[] = {04700, 02070, 01007, 07777};
  static const char letters[] = "ugoa";
  mode_t mask = 0;
  for (const char *at; **text && (at = strchr(letters, **text)); ++*text)
    mask |= masks[at - letters];
  return mask;
}

static inline mode_t mode_of_permissions(const char **text, mode_t mode) {
  bool any_x = S_ISDIR(mode) || mode & 0111;
  const mode_t values[] = {0444, 0222, 0111, any_x ? 0111 : 0, 06000, 01000};
  static const char letters[] = "rwxXst";
  mode_t value = 0;
  for (const char *at; **text && (at = strchr(letters, **text)); ++*text)
    value |= values[at - letters];
  return value;
}

/* One of the parts between commas. @return false when it is wrong */
static inline bool mode_change_part(const char **text, mode_t umask, mode_t *mode) {
  mode_t who = mode_of_who(text), mask = who ? who : 07777 & ~umask;
  if (!**text || !strchr("+-=", **text)) return false;
  while (**text && strchr("+-=", **text)) {
    char operator= *(*text)++;
    mode_t value = mode_of_permissions(text, *mode) & mask;
    if (operator== '=') *mode &= ~((who ? who : 07777) & 0777);
    *mode = operator== '-' ? *mode & ~value : * mode | value;
  }
  return true;
}

/** @param umask  counts where nobody is named, as in "+x"
 * @param mode   of the file, with its type; receives the new one
 * @return false when the text is wrong */
static inline bool mode_change(const char *text, mode_t umask, mode_t *mode) {
  char *end;
  unsigned long octal = strtoul(text, &end, 8);
  if (*text >= '0' && *text <= '7' && !*end && octal <= 07777) {
    *mode = (*mode & S_IFMT) | (mode_t)octal;
    return true;
  }
  while (mode_change_part(&text, umask, mode)) {
    if (!*text) return true;
    if (*text++ != ',') return false;
  }
  return false;
}

#endif
