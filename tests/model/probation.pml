/* Probation, for Spin: after the commit a component's new version serves, and its old version is kept
 * frozen, to take over if the new one fails before the time is up. Both have requests from before the
 * freezing to answer, the old one has a call of its own in flight, more requests come all the while;
 * versions die, and the time ends, at any moment.
 *
 * Busd follows bus/probation.c, bus/request.c and bus/lifecycle.c, New and Old what a component does.
 * How the commit comes about is in update.pml; of several members all pass, or are taken back, in one
 * step of busd's.
 *
 * What is proved: each request has one answer or one error, and no error unless a version died; the old
 * version hears once of the end of its call, and never of a call that it has not made; the versions
 * never both run; it ends with one that runs, or none if it died, and nothing stays behind. BREAK is a
 * deliberate mistake, each of which Spin must find: see run.py. */

#ifndef OLDER
#define OLDER 2 /* requests that were delivered before the freezing, and not answered */
#endif
#ifndef NEWER
#define NEWER 2 /* requests that come later */
#endif
#ifndef FAULTS
#define FAULTS 2 /* deaths, and hangs that end in one */
#endif

#define FAIL_SHARED       1 /* what both versions have is failed when the new one dies */
#define KEEP_UNSHARED     2 /* what only the new one had is not failed */
#define TRUST_TOKENS      3 /* the old version's answer counts though the new one has answered */
#define FORGET_OLD_CALL   4 /* of the call whose end the new version took, the old one hears nothing */
#define KEEP_NEW_CALL     5 /* the failed version's call is left to the old one */
#define THAW_BEFORE_KILL  6 /* the old version goes on while one that hangs may act again */
#define KEEP_OLD_VERSION  7 /* the old version is not ended when the time is up */
#define IGNORE_OLD_DEATH  8 /* the probation goes on without an old version */
#define FORGET_TO_THAW    9 /* the old version that takes over stays frozen */
#define EXPIRE_TAKEN_BACK 10 /* the time is up for a probation that has ended */
#ifndef BREAK
#define BREAK 0
#endif

mtype = { OLD, NEW, NOBODY };         /* who serves; whose end it is */
mtype = { NONE, PENDING, ANSWERED };  /* a call of the component's, as the bus has it */

chan exited = [2] of {mtype};

/* Processes, as the kernel has them. */
bool old_alive = true, new_alive = true;
bool frozen = true; /* the old version */
byte faults = FAULTS;
bool old_died, new_died; /* by themselves, or because they hung */

/* Requests, counted by who has them. */
byte waiting = NEWER;         /* nobody yet */
byte shared = OLDER;          /* both versions */
byte unshared;                /* the new version alone */
byte olds;                    /* the old version, since it took over */
byte stale;                   /* the old version, though the new one has answered */
byte replied, failed;

/* Calls of the component. */
mtype old_call = PENDING, new_call = NONE;
byte heard; /* how often the old version has heard of the end of its call */

/* busd's */
mtype serves = NEW;
bool probation = true, taken_back;

inline die(v) {
  if
  :: v == OLD -> old_alive = false; old_died = true
  :: else -> new_alive = false; new_died = true
  fi;
  exited!v
}

/* ---- versions ---- */

proctype New() {
  do
  :: atomic { new_alive && shared > 0 && serves == NEW -> shared--; stale++; replied++ }
  :: atomic { new_alive && unshared > 0 && serves == NEW -> unshared--; replied++ }
  :: atomic { new_alive && old_call == ANSWERED && serves == NEW -> old_call = NONE }
  :: atomic { new_alive && new_call == NONE && serves == NEW && probation -> new_call = PENDING }
  :: atomic { new_alive && new_call == ANSWERED && serves == NEW -> new_call = NONE }
  od
}

#define old_runs (old_alive && !frozen)

proctype Old() {
  do
  :: atomic { old_runs -> assert(!new_alive) }
     do
     :: atomic { old_runs && olds > 0 -> olds--; replied++ }
     :: atomic { old_runs && stale > 0 -> /* its token is another request's by now, or nobody's */
          stale--;
          if
          :: BREAK == TRUST_TOKENS -> replied++
          :: else
          fi }
     :: atomic { old_runs && old_call == ANSWERED -> old_call = NONE; heard++ }
     :: atomic { old_runs && new_call == ANSWERED -> new_call = NONE; assert(false) }
     od
  od
}

/* ---- busd ---- */

/* The end of a version that serves, and nobody takes over: who waits gets an error. */
inline lose_all() {
  failed = failed + waiting + shared + unshared + olds;
  waiting = 0; shared = 0; unshared = 0; olds = 0;
  old_call = NONE; new_call = NONE;
  serves = NOBODY
}

inline pass() {
  probation = false;
  if
  :: old_alive && BREAK != KEEP_OLD_VERSION -> old_alive = false; exited!OLD
  :: else
  fi
}

inline take_back() {
  probation = false; taken_back = true;
  if
  :: new_alive && BREAK != THAW_BEFORE_KILL -> die(NEW)
  :: else
  fi;
  serves = OLD;
  frozen = (BREAK == FORGET_TO_THAW);
  if
  :: BREAK != KEEP_UNSHARED -> failed = failed + unshared; unshared = 0
  :: else
  fi;
  if
  :: BREAK == FAIL_SHARED -> failed = failed + shared
  :: else
  fi;
  olds = shared; shared = 0;
  if
  :: old_call == NONE && BREAK != FORGET_OLD_CALL -> old_call = ANSWERED /* as lost */
  :: else
  fi;
  if
  :: BREAK != KEEP_NEW_CALL -> new_call = NONE
  :: else
  fi
}

proctype Busd() {
  do
  :: atomic { waiting > 0 && serves == NEW -> waiting--; unshared++ }
  :: atomic { waiting > 0 && serves == OLD -> waiting--; olds++ }
  :: atomic { old_call == PENDING && serves != NOBODY -> old_call = ANSWERED }
  :: atomic { new_call == PENDING && serves != NOBODY -> new_call = ANSWERED }

  :: atomic { exited?NEW ->
       if
       :: probation -> take_back()
       :: !probation && serves == NEW -> lose_all()
       :: else
       fi }
  :: atomic { exited?OLD ->
       if
       :: probation && BREAK != IGNORE_OLD_DEATH -> pass()
       :: serves == OLD -> lose_all()
       :: else
       fi }
  :: atomic { probation && new_alive && faults > 0 -> faults--; take_back() } /* it hangs */
  :: atomic { probation -> pass() } /* the time is up */
  :: atomic { BREAK == EXPIRE_TAKEN_BACK && !probation && serves == OLD && old_alive -> pass() }
  od
}

/* ---- faults, and the end ---- */

proctype Fault() {
  do
  :: atomic { faults > 0 && old_alive -> faults--; die(OLD) }
  :: atomic { faults > 0 && new_alive -> faults--; die(NEW) }
  :: atomic { faults > 0 -> faults = 0 } /* no more happen */
  od
}

init {
  atomic { run New(); run Old(); run Busd(); run Fault() }
  timeout; /* nothing can move any more */
  assert(!probation && empty(exited));
  assert(replied + failed == OLDER + NEWER);
  assert(failed == 0 || old_died || new_died);
  if
  :: serves == NEW -> assert(new_alive && !old_alive)
  :: serves == OLD -> assert(old_alive && !frozen && !new_alive && heard == 1)
  :: serves == NOBODY -> assert(!old_alive && !new_alive && new_died && (old_died || !taken_back))
  fi
}
