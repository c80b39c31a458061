/* Booting: callees before callers, each when its callees are ready and its wires are plugged in. */
#ifndef PROTEOS_BOOT_H
#define PROTEOS_BOOT_H

/** Starts what can be started, and ends the boot when all is ready. Called whenever something has
 * become ready. */
void boot_continue(void);

/** The boot has failed: tells prctl, and ends the instance.
 * @param who  component or wire; NULL: the instance */
void boot_failed(const char *who, const char *why);

/** Tells prctl, once, in one line: "ok", or why the boot ended. */
void boot_end(const char *text);

/** Starts the components that are down and do not wait for a callee to come up. */
void boot_start_next(void);

#endif
