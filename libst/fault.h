/* Fault points: named places where an experiment can order a fault, to see whether the system
 * stands it. docs/faults.md is for its users.
 *
 *   int err = st_fault("export.header", ENOMEM);  what follows may fail with ENOMEM
 *   st_pass("sys.freeze");                        a place that is passed and does not fail
 *
 * A process that has no page of orders, which is the ordinary case, only tests a pointer. The names
 * of all points of a program or library are in its section "fault_points". */
#ifndef LIBST_FAULT_H
#define LIBST_FAULT_H

#include <stddef.h>
#include <stdint.h>

#define ST_FAULT_NAME_MAX 28

struct st_fault_point {
  char name[ST_FAULT_NAME_MAX];
  int32_t error; /* errno with which the operation may fail; 0: it does not */
};

struct fault_page; /* libst/fault_page.h */
extern struct fault_page *st_fault_page;

/** Carries out what is ordered for this party here. @return 0 or a negative errno */
int st_fault_hit(const struct st_fault_point *point);

/** Passes a fault point. @return 0, or a negative errno when the operation is to fail */
#define st_fault(name_, error_)                                                                    \
  __extension__({                                                                                  \
    static const struct st_fault_point st_point                                                    \
        __attribute__((section("fault_points"), used)) = {name_, error_};                          \
    __builtin_expect(st_fault_page != NULL, 0) ? st_fault_hit(&st_point) : 0;                      \
  })
#define st_pass(name_) ((void)st_fault(name_, 0))

/** From now on this process obeys the orders in a page.
 * @param fd    of st_fault_create(); borrowed
 * @param name  the party that this process is: "loader", "net"
 * @return 0 or a negative errno */
int st_fault_attach(int fd, const char *name);
/** The process has become another party: `name`, or its new version. */
void st_fault_party(const char *name);
void st_fault_party_next(const char *name);
/** Makes a page without orders. @return a memfd, owned by the caller, or a negative errno */
int st_fault_create(void);

#endif
