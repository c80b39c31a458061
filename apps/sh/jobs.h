/* Jobs: pipelines that were started, in the foreground or not. */
#ifndef SH_JOBS_H
#define SH_JOBS_H

#include <stdbool.h>
#include <sys/types.h>

enum { JOBS_MAX = 32, JOB_PROCESSES_MAX = 16 };

enum job_state { JOB_FREE, JOB_RUNNING, JOB_STOPPED, JOB_DONE };

struct job {
  enum job_state state;
  pid_t group;                        /* 0: the shell's own */
  pid_t processes[JOB_PROCESSES_MAX]; /* 0: ended */
  unsigned count;
  pid_t last; /* the one whose status counts */
  int status; /* its wait status */
  bool background, told;
  char *text;
};

/** One that has ended and that nobody has waited for is forgotten when there are too
 * many. @return a job to add processes to, or NULL with a message */
struct job *job_new(const char *text);
void job_add(struct job *job, pid_t pid);
/** Number for %N. */
int job_number(const struct job *job);
/** "%1", "%%", "%+", "" or "1". @return NULL with a message when there is none */
struct job *job_find(const char *text);
/** The one in the background whose last process that is ($!), also when it has ended. @return NULL:
 * there is none */
struct job *job_of(pid_t pid);
void job_forget(struct job *job);

/** Waits until it has ended or was stopped; then it has the console no more. For one in the
 * background until SIGINT comes.
 * @return its status as $? has it */
int job_wait(struct job *job);
/** Lets it go on, in the foreground (and waits) or in the background. @return status */
int job_continue(struct job *job, bool foreground);
/** Sends it a signal, or prints why not. A stopped one that is to end goes on, so that it can.
 * @return false when it could not */
bool job_kill(struct job *job, int signal);
/** Ends those that are stopped: nobody will be there to let them go on. */
void jobs_hang_up(void);
/** Waits for all in the background. @return false when it was interrupted */
bool jobs_wait(void);
/** Takes note of processes that have changed, without waiting. */
void jobs_look(void);
/** Prints them; only those that have changed and were not told of yet if `news`. */
void jobs_print(bool news);
bool jobs_stopped(void);
/** $? for a wait status. */
int job_exit_status(int wait_status);

#endif
