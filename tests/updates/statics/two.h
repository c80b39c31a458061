#ifndef TESTS_UPDATES_STATICS_TWO_H
#define TESTS_UPDATES_STATICS_TWO_H

void two_build(void);
void two_verify(void);
void three_build(void);
void three_verify(void);

#endif
