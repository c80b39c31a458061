#include "bus/test-run.h"
#include "harness.h"

int main(void) {
  Suite *suite = suite_create("e1000-model");
  suite_add_tcase(suite, registers_case());
  suite_add_tcase(suite, interrupt_case());
  suite_add_tcase(suite, receive_case());
  suite_add_tcase(suite, transmit_case());
  suite_add_tcase(suite, hostile_case());
  return test_run(suite);
}
