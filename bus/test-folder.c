#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-folder.h"

char test_folder[sizeof(TEST_FOLDER)];

void test_folder_make(void) {
  strcpy(test_folder, TEST_FOLDER);
  ck_assert_ptr_nonnull(mkdtemp(test_folder));
}

void test_folder_remove(void) {
  char command[sizeof("rm -r ") + sizeof(test_folder)];
  snprintf(command, sizeof(command), "rm -r %s", test_folder);
  ck_assert_int_eq(system(command), 0);
}
