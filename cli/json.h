/* Text in JSON. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

/** Prints "KEY": "VALUE", then `end`. @param value  any bytes; those that are no UTF-8 are the
 * reader's matter */
void json_string(const char *key, const char *value, const char *end);

#endif
