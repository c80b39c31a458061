#include "bus/test-run.h"
#include "harness.h"

int main(void) {
  Suite *suite = suite_create("nvme-model");
  suite_add_tcase(suite, controller_case());
  suite_add_tcase(suite, admin_case());
  suite_add_tcase(suite, io_case());
  suite_add_tcase(suite, hostile_case());
  return test_run(suite);
}
