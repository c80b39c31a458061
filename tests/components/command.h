/* Commands of a test to a component, over the stream wire that has the component's name: a line of
 * words, answered by a line that begins with a status. For components that wait for nothing else of
 * the bus than these. */
#ifndef TEST_COMMAND_H
#define TEST_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#define COMMAND_WORDS_MAX 8u

/** Carries out a command. @param out  receives what comes after the status
 * @return 0, a negative errno, or -EINPROGRESS: command_answer() comes later */
typedef int command_fn(char **word, unsigned words, char *out, size_t cap);

/** Listens to the wire; once, at the start. @return 0 or a negative errno */
int command_open(const char *component);
/** There is something on the wire. */
void command_read(command_fn *fn);
void command_answer(int status, const char *rest);
/** The words as numbers; 0 where there is none. */
void command_numbers(char **word, unsigned words, uint64_t number[COMMAND_WORDS_MAX]);

#endif
