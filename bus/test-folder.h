/* A folder for the files of one test. */
#ifndef PROTEOS_BUS_TEST_FOLDER_H
#define PROTEOS_BUS_TEST_FOLDER_H

#define TEST_FOLDER "/tmp/proteos-test-XXXXXX"

/** The path of the folder that test_folder_make() has made. */
extern char test_folder[sizeof(TEST_FOLDER)];

void test_folder_make(void);

/** Removes it with all that is in it. */
void test_folder_remove(void);

#endif
