/* What the generated programs check their values with. In a library, so that it is no state. */
#ifndef TESTS_RANDOM_VALUES_H
#define TESTS_RANDOM_VALUES_H

#include <stddef.h>

/** Which of its choices the program makes: the number in $RANDOM_CHOICE, else 0. */
int random_choice(void);
/** Frees a block when everything is built, so that its memory is not used again. */
void random_free_later(void *block);
void random_free_now(void);
/** Makes functions differ. */
void random_called(int number);

void random_number(long long is, long long should, const char *what, const char *file, int line);
void random_real(double is, double should, const char *what, const char *file, int line);
void random_pointer(const void *is, const void *should, const char *what, const char *file,
                    int line);
void random_text(const char *is, const char *should, const char *what, const char *file, int line);
/** Using the address must trap. */
void random_traps(const void *is, const char *what, const char *file, int line);
/** Ends the program when a check has failed. */
void random_end_checks(void);

#define NUMBER(place, value)  random_number((long long)(place), value, #place, __FILE__, __LINE__)
#define REAL(place, value)    random_real(place, value, #place, __FILE__, __LINE__)
#define POINTER(place, value) random_pointer((void *)(place), value, #place, __FILE__, __LINE__)
#define TEXT(place, value)    random_text((void *)(place), value, #place, __FILE__, __LINE__)
#define TRAPS(place)          random_traps((void *)(place), #place, __FILE__, __LINE__)

#endif
