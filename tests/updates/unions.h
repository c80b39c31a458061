/* What both versions of the pair `unions` count. */
#ifndef TESTS_UPDATES_UNIONS_H
#define TESTS_UPDATES_UNIONS_H

enum { VALUES = 1000 };

#endif
