#include <stdlib.h>

#include "harness.h"

int main(void) {
  Suite *suite = suite_create("e1000-model");
  suite_add_tcase(suite, registers_case());
  suite_add_tcase(suite, interrupt_case());
  suite_add_tcase(suite, receive_case());
  suite_add_tcase(suite, transmit_case());
  suite_add_tcase(suite, hostile_case());
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
