/* prctl update, mupdate, mupdate-start, mupdate-cancel. */
#ifndef CLI_UPDATE_H
#define CLI_UPDATE_H

/** Carries out one of the commands above.
 * @param control  connected to the instance's control socket; borrowed
 * @param argv     argv[0] is the command
 * @return prctl's exit status: enum exit_status of cli/outcome.h, or 2 when the command line is
 *         wrong */
int update_command(int control, int argc, char **argv);

#endif
