/* The update transaction, for Spin: two members, requests to them all the while, a crash or a stop of
 * any party at any step, time-outs at any moment.
 *
 * Each process below follows the part of the program that has its name: Um follows
 * updmgr/transaction.c; Busd bus/update.c, bus/lifecycle.c and bus/endpoint.c; Loader bus/record.c and
 * bus/loader.c; Old and New libsys/update.c. busd and the loader do not die here: their death ends the
 * instance.
 *
 * What is proved: no request is lost or answered twice, and none is handled by a state that is then
 * given up; two versions of an endpoint never both run; the transaction ends, all new or all old;
 * nothing stays behind. BREAK is a deliberate mistake, each of which Spin must find: see run.py. */

#define MEMBERS 2
#define REQUESTS(i) (i == ASKED)
#ifndef ASKED
#define ASKED 0 /* the member that a request is sent to */
#endif
#ifndef FAULTS
#define FAULTS 1 /* crashes and stops */
#endif

#define RELEASE_FROZEN    1 /* busd lets callers through to a frozen member */
#define DECIDE_BLINDLY    2 /* the loader decides without a look at the new versions */
#define REBIND_EARLY      3 /* busd rebinds when asked to commit, not when it is decided */
#define FORGET_TO_THAW    4 /* an abort leaves the old version frozen */
#define KEEP_NEW          5 /* an abort leaves the new version alive */
#define IGNORE_UM_DEATH   6 /* busd does not abort when um dies */
#define COMMIT_PART       7 /* um asks to commit, and busd does not check, when one member is ready */
#define BURY_EARLY        8 /* busd acts on an old version's death while the loader decides */
#ifndef BREAK
#define BREAK 0
#endif

/* Processes: old versions 0 and 1, new versions 2 and 3, um 4. */
#define OLD(i)    (i)
#define NEW(i)    (MEMBERS + (i))
#define MEMBER(v) ((v) % MEMBERS)
#define IS_NEW(v) ((v) >= MEMBERS && (v) < UM)
#define UM        4
#define PROCESSES 5
#define NONE      255

mtype = {
  LOAD, CONVERGE, ABORT, COMMIT, /* um to busd: member */
  ANSWER,                        /* busd to um, of COMMIT: 1 committed, 0 not */
  FROZEN, TRANSFERRED,           /* a version to busd, busd to um: version */
  EXITED,                        /* the loader to busd, busd to um: process */
  DECIDE,                        /* busd to the loader */
  ACTIVATE, REFUSED,             /* the loader to busd */
  RUNNING, CONVERGING, HELD, DEAD /* an endpoint's state */
};

chan um_calls = [1] of {mtype, byte};
chan um_mail = [8] of {mtype, byte};
chan reports[4] = [1] of {mtype};
chan to_loader = [1] of {mtype, byte};
chan from_loader = [8] of {mtype, byte};

/* Processes, as the kernel has them. */
bool started[PROCESSES], alive[PROCESSES], stopped[PROCESSES], reaped[PROCESSES];
#define able(p) (alive[p] && !stopped[p])

/* Versions. */
byte handled[4];         /* their state: how many requests it has seen */
bool in_hand[4];         /* a request that was delivered; at most one, and only in receive */
bool frozen[MEMBERS];    /* old versions only */
bool snapshot[MEMBERS];  /* lies in the channel to the new version */

/* What busd has to say to versions when they wait in receive. */
bool say_converge[MEMBERS], say_thaw[MEMBERS], say_live[MEMBERS];

/* The world. */
byte replied[MEMBERS], failed[MEMBERS]; /* of those that busd holds from the start */
bool old_died[MEMBERS], new_died_live[MEMBERS];

/* busd's tables. */
mtype state[MEMBERS];
byte live[MEMBERS], next[MEMBERS];
bool transferred[MEMBERS], buried[MEMBERS];
bool deciding, committed, um_gone;
byte waiting[MEMBERS]; /* requests that no version has yet */

bool over; /* um is idle or dead */

inline two_never_run(i) { assert(!(alive[OLD(i)] && !frozen[i] && alive[NEW(i)] && say_live[i])) }

proctype Old(byte i) {
  do
  :: atomic { able(OLD(i)) && !frozen[i] && in_hand[OLD(i)] ->
       in_hand[OLD(i)] = false; handled[OLD(i)]++; replied[i]++ }
  :: atomic { able(OLD(i)) && !frozen[i] && !in_hand[OLD(i)] && say_converge[i] ->
       say_converge[i] = false; frozen[i] = true; snapshot[i] = true; reports[OLD(i)]!FROZEN }
  :: atomic { able(OLD(i)) && say_thaw[i] ->
       say_thaw[i] = false; frozen[i] = false; two_never_run(i) }
  :: atomic { !alive[OLD(i)] -> break }
  od
}

proctype New(byte i) {
  if
  :: atomic { able(NEW(i)) && snapshot[i] ->
       handled[NEW(i)] = handled[OLD(i)]; reports[NEW(i)]!TRANSFERRED }
  :: atomic { !alive[NEW(i)] -> goto gone }
  fi;
  do
  :: atomic { able(NEW(i)) && say_live[i] && in_hand[NEW(i)] ->
       in_hand[NEW(i)] = false; two_never_run(i); handled[NEW(i)]++; replied[i]++ }
  :: atomic { !alive[NEW(i)] -> break }
  od;
gone:
  skip
}

/* ---- loader ---- */

#define unreaped(p) (started[p] && !alive[p] && !reaped[p])

inline reap() {
  for (p : 0 .. PROCESSES - 1) {
    if
    :: unreaped(p) -> reaped[p] = true; from_loader!EXITED, p
    :: else
    fi
  }
}

proctype Loader() {
  byte p;
  do
  :: atomic { to_loader?DECIDE, p ->
       reap();
       if
       :: (able(NEW(0)) && able(NEW(1))) || BREAK == DECIDE_BLINDLY ->
          committed = true; from_loader!ACTIVATE, 0
       :: from_loader!REFUSED, 0 /* always possible: the deadline has passed */
       fi }
  :: atomic { unreaped(0) || unreaped(1) || unreaped(2) || unreaped(3) || unreaped(4) -> reap() }
  od
}

/* ---- busd ---- */

inline fail_requests(i) { failed[i] = REQUESTS(i) - replied[i]; waiting[i] = 0 }

/* Callers wait while their callee is held. */
#define deliverable(i) (waiting[i] > 0 && state[i] == RUNNING && able(live[i]) && !in_hand[live[i]])

inline deliver(i) {
  assert(live[i] == NEW(i) || !frozen[i] || say_thaw[i] || BREAK == FORGET_TO_THAW);
  waiting[i]--;
  in_hand[live[i]] = true
}

inline kill_next(i) {
  if
  :: BREAK != KEEP_NEW -> alive[next[i]] = false
  :: else
  fi;
  next[i] = NONE
}

inline abort_member(i) {
  if
  :: next[i] != NONE -> kill_next(i)
  :: else
  fi;
  transferred[i] = false;
  say_converge[i] = false;
  if
  :: live[i] == OLD(i) && BREAK != FORGET_TO_THAW -> say_thaw[i] = true
  :: else
  fi;
  if
  :: state[i] == CONVERGING || state[i] == HELD -> state[i] = RUNNING
  :: else
  fi
}

inline abort_unfinished(i) {
  if
  :: next[i] != NONE || state[i] == CONVERGING || state[i] == HELD -> abort_member(i)
  :: else
  fi
}

inline rebind() {
  for (i : 0 .. MEMBERS - 1) {
    assert(next[i] != NONE);
    live[i] = NEW(i); next[i] = NONE; say_live[i] = true; state[i] = RUNNING;
  }
  alive[OLD(0)] = false;
  alive[OLD(1)] = false
}

inline live_exited(i) {
  if
  :: live[i] == OLD(i) && next[i] != NONE -> um_mail!EXITED, OLD(i); kill_next(i)
  :: else
  fi;
  old_died[i] = old_died[i] || live[i] == OLD(i);
  new_died_live[i] = live[i] == NEW(i);
  state[i] = DEAD;
  live[i] = NONE;
  fail_requests(i)
}

inline version_exited(v) {
  i = MEMBER(v);
  if
  :: live[i] == v && deciding && BREAK != BURY_EARLY -> buried[i] = true
  :: live[i] == v && !(deciding && BREAK != BURY_EARLY) -> live_exited(i)
  :: next[i] == v -> next[i] = NONE; um_mail!EXITED, v
  :: else /* it was retired */
  fi
}

inline reported(kind, v) {
  i = MEMBER(v);
  if
  :: next[i] == NONE /* of a transaction that is off */
  :: next[i] != NONE && kind == FROZEN && state[i] == CONVERGING ->
     state[i] = (BREAK == RELEASE_FROZEN -> RUNNING : HELD);
     um_mail!FROZEN, v
  :: next[i] != NONE && kind == FROZEN && state[i] != CONVERGING
  :: next[i] != NONE && kind == TRANSFERRED -> transferred[i] = true; um_mail!TRANSFERRED, v
  fi
}

/* What a process still said is read before its exit is dealt with. */
#define said_all(p, channel) (!from_loader?[EXITED, p] || empty(channel))
#define exit_is_next \
  (said_all(0, reports[0]) && said_all(1, reports[1]) && said_all(2, reports[2]) && \
   said_all(3, reports[3]) && said_all(UM, um_calls))

#define ready(i) (state[i] == HELD && next[i] != NONE && transferred[i])

proctype Busd() {
  byte i, v;
  do
  :: atomic { live[ASKED] != NONE && deliverable(ASKED) -> deliver(ASKED) }

  :: atomic { um_calls?LOAD, i ->
       if
       :: live[i] != NONE ->
          next[i] = NEW(i); started[NEW(i)] = true; alive[NEW(i)] = true; run New(i)
       :: else -> um_mail!EXITED, OLD(i)
       fi }
  :: atomic { um_calls?CONVERGE, i ->
       if
       :: next[i] != NONE && state[i] == RUNNING -> state[i] = CONVERGING; say_converge[i] = true
       :: else /* um has mail that says why */
       fi }
  :: atomic { um_calls?ABORT, i -> abort_member(i) }
  :: atomic { um_calls?COMMIT, i ->
       if
       :: (ready(0) && ready(1)) || (BREAK == COMMIT_PART && (ready(0) || ready(1))) ->
          deciding = true;
          to_loader!DECIDE, 0;
          if
          :: BREAK == REBIND_EARLY -> rebind()
          :: else
          fi
       :: else -> um_mail!ANSWER, 0
       fi }

  :: atomic { reports[0]?FROZEN -> reported(FROZEN, 0) }
  :: atomic { reports[1]?FROZEN -> reported(FROZEN, 1) }
  :: atomic { reports[2]?TRANSFERRED -> reported(TRANSFERRED, 2) }
  :: atomic { reports[3]?TRANSFERRED -> reported(TRANSFERRED, 3) }

  :: atomic { exit_is_next && from_loader?[EXITED, _] -> from_loader?EXITED, v;
       if
       :: v == UM ->
          um_gone = true;
          if
          :: !deciding && BREAK != IGNORE_UM_DEATH -> abort_unfinished(0); abort_unfinished(1)
          :: else
          fi
       :: else -> version_exited(v)
       fi }
  :: atomic { from_loader?ACTIVATE, v ->
       deciding = false;
       buried[0] = false; buried[1] = false;
       if
       :: BREAK != REBIND_EARLY -> rebind()
       :: else
       fi;
       um_mail!ANSWER, 1 }
  :: atomic { from_loader?REFUSED, v ->
       deciding = false;
       for (i : 0 .. MEMBERS - 1) {
         if
         :: buried[i] -> buried[i] = false; live_exited(i)
         :: else
         fi
       }
       if
       :: um_gone -> abort_unfinished(0); abort_unfinished(1)
       :: else -> um_mail!ANSWER, 0
       fi }
  od
}

/* ---- um ---- */

inline call(kind, i) {
  if
  :: atomic { alive[UM] && nfull(um_calls) -> um_calls!kind, i }
  :: !alive[UM] -> goto gone
  fi
}

proctype Um() {
  byte v, nfrozen, ntransferred;
  call(LOAD, 0);
  call(LOAD, 1);
  call(CONVERGE, 0); /* callers before callees: the second follows when the first is frozen */
  do
  :: atomic { alive[UM] && um_mail?[FROZEN, _] -> um_mail?FROZEN, v; nfrozen++ }
     if
     :: nfrozen == 1 -> call(CONVERGE, 1)
     :: else
     fi
  :: atomic { alive[UM] && um_mail?[TRANSFERRED, _] -> um_mail?TRANSFERRED, v; ntransferred++ }
  :: atomic { alive[UM] && um_mail?[EXITED, _] -> um_mail?EXITED, v; goto undo }
  :: atomic { alive[UM] && um_mail?[ANSWER, 0] -> um_mail?ANSWER, v; goto undo }
  :: atomic { alive[UM] -> goto undo } /* a time-out, a refused check, or prctl was lost */
  :: atomic { alive[UM] && (ntransferred == MEMBERS && nfrozen == MEMBERS || BREAK == COMMIT_PART && ntransferred > 0) -> break }
  :: atomic { !alive[UM] -> goto gone }
  od;
  call(COMMIT, 0);
  do /* in the kernel call, it sees nothing but its answer */
  :: atomic { alive[UM] && um_mail??[ANSWER, 0] -> um_mail??ANSWER, eval(0); goto undo }
  :: atomic { alive[UM] && um_mail??[ANSWER, 1] -> um_mail??ANSWER, eval(1); goto gone }
  :: atomic { !alive[UM] -> goto gone }
  od;
undo:
  call(ABORT, 0);
  call(ABORT, 1);
gone:
  over = true
}

/* ---- faults, and the end ---- */

proctype Fault() {
  byte p;
  select(p : 0 .. UM);
  if
  :: atomic { alive[p] -> alive[p] = false }
  :: atomic { IS_NEW(p) && alive[p] && !committed -> stopped[p] = true }
  :: skip
  fi
}

init {
  byte i;
  atomic {
    for (i : 0 .. MEMBERS - 1) {
      started[OLD(i)] = true; alive[OLD(i)] = true;
      live[i] = OLD(i); next[i] = NONE; state[i] = RUNNING; waiting[i] = REQUESTS(i);
      run Old(i);
    }
    started[UM] = true; alive[UM] = true;
    run Um(); run Busd(); run Loader();
#if FAULTS > 0
    for (i : 1 .. FAULTS) { run Fault() }
#endif
  }
  timeout; /* nothing can move any more */
  for (i : 0 .. MEMBERS - 1) {
    assert(over);
    /* Each request has one answer: from the version that serves, or an error if one died. */
    assert(replied[i] + failed[i] == REQUESTS(i));
    assert(failed[i] == 0 || old_died[i] || new_died_live[i]);
    /* The state that is left has seen all that was answered. */
    assert(live[i] == NONE || handled[live[i]] == replied[i]);
    /* All new or all old, and nothing else is left. */
    assert(live[i] == NONE || live[i] == (committed -> NEW(i) : OLD(i)));
    assert(next[i] == NONE && !alive[(committed -> OLD(i) : NEW(i))]);
    assert(committed || !alive[OLD(i)] || !frozen[i]);
    assert(state[i] == (live[i] == NONE -> DEAD : RUNNING));
  }
}
