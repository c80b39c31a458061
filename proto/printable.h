#ifndef PROTEOS_PROTO_PRINTABLE_H
#define PROTEOS_PROTO_PRINTABLE_H

/** Makes `text` fit for a protobuf string and for a terminal: each byte that is not part of
 * well-formed UTF-8, and each control character but tab and newline, becomes '?'. Texts for people
 * quote what others gave (filters, names, reports of new versions), or cut it off anywhere. */
void printable_make(char *text);

#endif
