/* What a component is told about itself (KERN_HELLO), and um about components (KERN_INFO). */
#ifndef PROTEOS_HELLO_H
#define PROTEOS_HELLO_H

#include "bus/endpoint.h"

/** @param bytes  receives the length
 * @return a payload, valid until the next call */
const void *hello_make(const struct version *v, uint32_t *bytes);
const void *hello_info(const struct endpoint *e, uint32_t *bytes);
const void *hello_info_of_busd(uint32_t *bytes);

#endif
