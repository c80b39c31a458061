/* Wires: what simulated cards are plugged into. busd opens them before their component starts,
 * which inherits them under their names; they live as long as the instance. */
#ifndef PROTEOS_WIRE_H
#define PROTEOS_WIRE_H

#include <stdbool.h>

#include "bus/endpoint.h"

#define WIRES_PER_COMPONENT_MAX MANIFEST_WIRES_MAX

struct wire_end {
  const char *name;
  int fd; /* busd's */
};

/** Opens the wires of the manifest; those that need a peer become ready later.
 * @return 0, or a negative errno after boot_failed() */
int wire_init(void);

/** Whether all wires of a component are plugged in. */
bool wire_all_ready(const struct endpoint *e);
/** A component's wires, in the manifest's order. @return how many */
unsigned wire_ends(const struct endpoint *e, struct wire_end ends[WIRES_PER_COMPONENT_MAX]);

/** Both sides of a wire of kind console that is no console's keyboard.
 * @param name  NULL: the first one
 * @param peer  receives busd's other ends, borrowed: the screen's, then its keyboard's, or -1
 * @return the wire, or NULL: there is none of that name */
const struct manifest_wire *wire_console(const char *name, int peer[2]);

/** The i-th address at which a wire answers on the host, or NULL. */
const char *wire_url(unsigned i);

/** @param never_ran  why it did not get to run its executable; "": it did */
void wire_helper_exited(int id, int wait_status, const char *never_ran);
void wire_helper_failed(int id, int error);

/** The bus has gone over to another manifest, which has the same wires; the former still exists. */
void wire_adopt(void);

#endif
