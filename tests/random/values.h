/* What the generated programs check their values with. In a library, so that it is no state. */
#ifndef TESTS_RANDOM_VALUES_H
#define TESTS_RANDOM_VALUES_H

#include <stddef.h>

/** Does the program make this choice? $RANDOM_CHOICE lists those that it makes: 3,17. */
int random_choice(int number);
/** Frees a block when everything is built, so that its memory is not used again. */
void random_free_later(void *block);
void random_free_now(void);
/** Makes functions differ. */
void random_called(int number);

void random_number(long long is, long long should, int line);
void random_real(double is, double should, int line);
void random_pointer(const void *is, const void *should, int line);
void random_zero(const void *bytes, size_t count, int line);
void random_text(const char *is, const char *should, int line);
/** Using the address must trap. */
void random_traps(const void *is, int line);
/** The checks that follow are in this file. */
void random_in_file(const char *name);
/** Ends the program when a check has failed. */
void random_end_checks(void);

#define NUMBER(place, value) random_number((long long)(place), value, __LINE__)
#define NUMBERS(place, ...)                                                                        \
  do {                                                                                             \
    const long long should[] = {__VA_ARGS__};                                                      \
    for (size_t i = 0; i < sizeof(should) / sizeof(*should); i++)                                  \
      random_number((long long)(place)[i], should[i], __LINE__);                                   \
  } while (0)
#define ZERO(place)           random_zero(&(place), sizeof(place), __LINE__)
#define REAL(place, value)    random_real(place, value, __LINE__)
#define POINTER(place, value) random_pointer((void *)(place), value, __LINE__)
#define TEXT(place, value)    random_text((void *)(place), value, __LINE__)
#define TRAPS(place)          random_traps((void *)(place), __LINE__)

/* Optimising what only stores and checks values is most of a compiler's time. */
#if defined(RANDOM_OPTIMISE_ALL)
#define PLAIN __attribute__((noinline))
#elif defined(__clang__)
#define PLAIN __attribute__((noinline, optnone))
#else
#define PLAIN __attribute__((noinline, optimize("O0")))
#endif

#endif
