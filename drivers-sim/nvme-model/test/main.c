#include <stdlib.h>

#include "harness.h"

int main(void) {
  Suite *suite = suite_create("nvme-model");
  suite_add_tcase(suite, controller_case());
  suite_add_tcase(suite, admin_case());
  suite_add_tcase(suite, io_case());
  suite_add_tcase(suite, hostile_case());
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
