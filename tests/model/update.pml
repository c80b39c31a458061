/* The update transaction, for Spin: N components, um, which may be a member too, requests to one
 * component all the while, crashes and stops of any version of any of them at any step, time-outs at
 * any moment.
 *
 * Each process below follows the part of the program that has its name: Um follows
 * updmgr/transaction.c; Busd bus/update.c, bus/lifecycle.c and bus/endpoint.c; Loader bus/record.c and
 * bus/loader.c; Old and New libsys/update.c. busd and the loader do not die here: their death ends the
 * instance. How busd is replaced itself is in bus.pml.
 *
 * What is proved: no request is lost or answered twice, and none is handled by a state that is then
 * given up; two versions of an endpoint never both run; the transaction ends, all new or all old;
 * nothing stays behind. BREAK is a deliberate mistake, each of which Spin must find: see run.py.
 *
 * Calls to the kernel are handshakes: busd serves a packet that was sent before it hears of its
 * sender's death, so what happens between sending and serving could as well happen before. */

#ifndef N
#define N 2 /* components, all of them members */
#endif
#ifndef UM_TOO
#define UM_TOO 0 /* um is a member as well */
#endif
#ifndef ASKED
#define ASKED 0 /* the component that requests are sent to */
#endif
#ifndef REQUESTS
#define REQUESTS 1
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
#define TRUST_ANY_UM      9 /* a refusal is left to whoever is um then, also to one started since */
#define UNDO_WHILE_DECIDING 10 /* um undoes, and busd lets it, what the loader is deciding */
#define REBIND_AGAIN     11 /* busd obeys each ACTIVATE */
#define DROP_OWED        12 /* what the old version has still to answer is not transferred */
#define LEAVE_UM_FROZEN  13 /* (UM_TOO) busd does not thaw um when its new version fails */
#define MAIL_TO_VERSION  14 /* (UM_TOO) um's mail goes to its old version though it is replaced */
#ifndef BREAK
#define BREAK 0
#endif

/* Endpoints 0 to N - 1 are components, N is um. Each has an old and a new version. */
#define UM        N
#define ENDPOINTS (N + 1)
#define MEMBERS   (N + UM_TOO)
#define OLD(i)    (i)
#define NEW(i)    (ENDPOINTS + (i))
#define END(v)    ((v) % ENDPOINTS)
#define VERSIONS  (2 * ENDPOINTS)
#define NONE      255

mtype = {
  LOAD, CONVERGE, ABORT, COMMIT, /* um to busd: endpoint */
  COMMITTED,                     /* busd to um: 1 committed, 0 not */
  FROZEN, TRANSFERRED,           /* a version to busd, busd to um: version */
  EXITED,                        /* the loader to busd, busd to um: version */
  DECIDE,                        /* busd to the loader */
  ACTIVATE, REFUSED,             /* the loader to busd */
  RUNNING, CONVERGING, HELD, DEAD, /* an endpoint's state */
  NOTHING, UM_CONVERGES, DECIDING  /* how far busd is with a commit */
};

chan call = [0] of {mtype, byte};
chan report = [0] of {mtype, byte};
chan mail = [MEMBERS * 3 + 2] of {mtype, byte};
chan to_loader = [1] of {mtype};
chan from_loader = [VERSIONS + 2] of {mtype, byte};

/* Processes, as the kernel has them. */
bool alive[VERSIONS], stopped[VERSIONS];
#define able(v) (alive[v] && !stopped[v])
byte faults = FAULTS;

/* Versions. Their state: how many requests they have seen, and how many they have not answered. */
byte handled[VERSIONS], owed[VERSIONS];
byte in_hand = NONE; /* the version that a request was delivered to; only one is in receive */
bool frozen[ENDPOINTS];   /* old versions only */
bool snapshot[ENDPOINTS]; /* lies in the channel to the new version */

/* What busd has to say to versions when they wait in receive. */
bool say_converge[ENDPOINTS], say_thaw[ENDPOINTS], say_live[ENDPOINTS];

/* The world. */
byte replied, failed; /* of those that busd holds from the start */
bool asked_died;

/* busd's tables. */
mtype state[ENDPOINTS];
byte live[ENDPOINTS], next[ENDPOINTS];
bool transferred[ENDPOINTS], buried[ENDPOINTS];
mtype commit = NOTHING;
bool refused, um_died, um_restarted;
byte waiting = REQUESTS; /* requests that no version has yet */

/* The loader's record. */
bool committed, activated, repeated;

bool over; /* um has nothing left to do */

inline die(v) { alive[v] = false; from_loader!EXITED, v }

/* ---- components ---- */

inline two_never_run(i) { assert(!(alive[OLD(i)] && !frozen[i] && alive[NEW(i)] && say_live[i])) }

/* It answers at once, or keeps the request's token and answers later. */
inline serve(v) {
  in_hand = NONE;
  handled[v]++;
  if
  :: replied++
  :: owed[v]++
  fi
}

proctype Old(byte i) {
  do
  :: atomic { able(OLD(i)) && !frozen[i] && in_hand == OLD(i) -> serve(OLD(i)) }
  :: atomic { able(OLD(i)) && !frozen[i] && owed[OLD(i)] > 0 -> owed[OLD(i)]--; replied++ }
  :: atomic { able(OLD(i)) && !frozen[i] && in_hand != OLD(i) && say_converge[i] ->
       say_converge[i] = false; frozen[i] = true; snapshot[i] = true }
     atomic { able(OLD(i)) -> report!FROZEN, OLD(i) }
  :: atomic { able(OLD(i)) && say_thaw[i] ->
       say_thaw[i] = false; frozen[i] = false; two_never_run(i) }
  od
}

proctype New(byte i) {
  atomic { able(NEW(i)) && snapshot[i] ->
    handled[NEW(i)] = handled[OLD(i)];
    owed[NEW(i)] = (BREAK == DROP_OWED -> 0 : owed[OLD(i)]);
    report!TRANSFERRED, NEW(i) }
  do
  :: atomic { able(NEW(i)) && say_live[i] && in_hand == NEW(i) -> two_never_run(i); serve(NEW(i)) }
  :: atomic { able(NEW(i)) && say_live[i] && owed[NEW(i)] > 0 -> owed[NEW(i)]--; replied++ }
  od
}

/* ---- loader ---- */

proctype Loader() {
  byte i;
  bool all;
  do
  :: atomic { to_loader?DECIDE ->
       all = true;
       for (i : 0 .. MEMBERS - 1) { all = all && able(NEW(i)) }
       if
       :: all || BREAK == DECIDE_BLINDLY -> committed = true; from_loader!ACTIVATE, 0
       :: from_loader!REFUSED, 0 /* always possible: the deadline has passed */
       fi;
       all = false; i = 0 }
  :: atomic { committed && !activated && !repeated -> repeated = true; from_loader!ACTIVATE, 0 }
  od
}

/* ---- busd ---- */

/* Callers wait while their callee is held. */
#define deliverable (waiting > 0 && in_hand == NONE && live[ASKED] != NONE && \
                     state[ASKED] == RUNNING && able(live[ASKED]))

inline deliver() {
  assert(live[ASKED] == NEW(ASKED) || !frozen[ASKED] || say_thaw[ASKED] || BREAK == FORGET_TO_THAW);
  waiting--;
  in_hand = live[ASKED]
}

inline kill_next(i) {
  if
  :: BREAK != KEEP_NEW && alive[next[i]] -> die(next[i])
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
  :: live[i] == OLD(i) && BREAK != FORGET_TO_THAW && !(i == UM && BREAK == LEAVE_UM_FROZEN) ->
     say_thaw[i] = true
  :: else
  fi;
  if
  :: state[i] == CONVERGING || state[i] == HELD -> state[i] = RUNNING
  :: else
  fi
}

inline abort_all() {
  commit = NOTHING;
  for (i : 0 .. MEMBERS - 1) {
    if
    :: next[i] != NONE || state[i] == CONVERGING || state[i] == HELD -> abort_member(i)
    :: else
    fi
  }
}

inline tell_um(kind, what) {
  if
  :: live[UM] != NONE || um_restarted -> mail!kind, what
  :: else
  fi
}

/* um, if it is a member, goes on as it was, and undoes the rest. */
inline commit_failed() {
  commit = NOTHING;
  tell_um(COMMITTED, 0);
  if
  :: UM_TOO -> abort_member(UM)
  :: else
  fi
}

inline rebind() {
  for (i : 0 .. MEMBERS - 1) {
    assert(next[i] != NONE);
    live[i] = NEW(i); next[i] = NONE; say_live[i] = true; state[i] = RUNNING
  }
  for (i : 0 .. MEMBERS - 1) {
    if
    :: alive[OLD(i)] -> die(OLD(i))
    :: else
    fi
  }
}

#define ready(i) (next[i] != NONE && (i == UM -> state[i] == RUNNING : state[i] == HELD && transferred[i]))

inline order_commit() {
  for (i : 0 .. MEMBERS - 1) { refused = refused || !ready(i) }
  if
  :: refused && BREAK != COMMIT_PART
  :: else ->
     if
     :: BREAK == REBIND_EARLY -> rebind()
     :: else
     fi;
     if
     :: UM_TOO -> commit = UM_CONVERGES; state[UM] = CONVERGING; say_converge[UM] = true
     :: else -> commit = DECIDING; to_loader!DECIDE
     fi
  fi
}

/* The state of a live component is lost; who waits for it gets an error. */
inline lose_requests(i) {
  if
  :: i == ASKED ->
     asked_died = true; failed = REQUESTS - replied; waiting = 0; in_hand = NONE
  :: else
  fi
}

inline um_exited() {
  um_died = true;
  if
  :: commit != DECIDING && BREAK != IGNORE_UM_DEATH -> abort_all()
  :: else
  fi;
  i = UM
}

inline live_exited(i) {
  if
  :: next[i] != NONE && i != UM -> tell_um(EXITED, OLD(i)); kill_next(i)
  :: else
  fi;
  state[i] = DEAD;
  live[i] = NONE;
  if
  :: i == UM -> um_exited()
  :: i != UM && commit == UM_CONVERGES -> lose_requests(i); commit_failed()
  :: else -> lose_requests(i)
  fi
}

inline version_exited(v) {
  i = END(v);
  if
  :: live[i] == v && commit == DECIDING && i < MEMBERS && BREAK != BURY_EARLY -> buried[i] = true
  :: live[i] == v && !(commit == DECIDING && i < MEMBERS && BREAK != BURY_EARLY) -> live_exited(i)
  :: next[i] == v ->
     next[i] = NONE;
     tell_um(EXITED, v);
     if
     :: commit == UM_CONVERGES -> commit_failed()
     :: else
     fi
  :: else /* it was retired */
  fi
}

inline reported(kind, v) {
  i = END(v);
  if
  :: next[i] == NONE /* of a transaction that is off */
  :: next[i] != NONE && kind == FROZEN && state[i] == CONVERGING ->
     state[i] = (BREAK == RELEASE_FROZEN -> RUNNING : HELD);
     tell_um(FROZEN, v)
  :: next[i] != NONE && kind == FROZEN && state[i] != CONVERGING
  :: next[i] != NONE && kind == TRANSFERRED ->
     transferred[i] = true;
     tell_um(TRANSFERRED, v);
     if
     :: i == UM && commit == UM_CONVERGES -> commit = DECIDING; to_loader!DECIDE
     :: else
     fi
  fi
}

inline refusal() {
  commit = NOTHING;
  for (j : 0 .. MEMBERS - 1) {
    if
    :: buried[j] -> buried[j] = false; i = j; live_exited(i)
    :: else
    fi
  }
  if
  :: !um_died || (um_restarted && BREAK == TRUST_ANY_UM) -> commit_failed()
  :: else -> abort_all()
  fi
}

proctype Busd() {
  byte i, j, v;
  do
  :: atomic { deliverable -> deliver() }

  :: atomic { call?LOAD, i ->
       if
       :: live[i] != NONE ->
          next[i] = NEW(i); alive[NEW(i)] = true;
          if
          :: i == UM -> run NewUm()
          :: else -> run New(i)
          fi
       :: else -> refused = true
       fi }
  :: atomic { call?CONVERGE, i ->
       if
       :: next[i] != NONE && state[i] == RUNNING -> state[i] = CONVERGING; say_converge[i] = true
       :: else -> refused = true
       fi }
  :: atomic { call?ABORT, i ->
       if
       :: commit == DECIDING && BREAK != UNDO_WHILE_DECIDING
       :: else -> abort_member(i)
       fi }
  :: atomic { call?COMMIT, i -> order_commit(); i = 0 }

  :: atomic { report?FROZEN, v -> reported(FROZEN, v); i = 0; v = 0 }
  :: atomic { report?TRANSFERRED, v -> reported(TRANSFERRED, v); i = 0; v = 0 }

  :: atomic { from_loader?EXITED, v -> version_exited(v); i = 0; v = 0 }
  :: atomic { from_loader?ACTIVATE, v ->
       activated = true;
       if
       :: commit == DECIDING || BREAK == REBIND_AGAIN ->
          commit = NOTHING;
          for (i : 0 .. MEMBERS - 1) { buried[i] = false }
          if
          :: BREAK != REBIND_EARLY -> rebind()
          :: else
          fi;
          tell_um(COMMITTED, 1)
       :: else
       fi;
       i = 0; v = 0 }
  :: atomic { from_loader?REFUSED, v -> refusal(); i = 0; j = 0; v = 0 }

  :: atomic { commit == UM_CONVERGES -> commit_failed(); i = 0 } /* a time-out */
  /* A new um knows nothing of what the one before it did. */
  :: atomic { um_died && !um_restarted -> um_restarted = true }
  od
}

/* ---- um ---- */

/* It sees nothing but the answer meanwhile. */
inline ask(kind, i) { atomic { able(UM) -> call!kind, i } }

proctype Um() {
  byte v, nfrozen, ntransferred, i;
  do
  :: i < MEMBERS -> ask(LOAD, i); i++
  :: else -> break
  od;
  i = 0;
  if
  :: refused -> goto undo
  :: else
  fi;
  ask(CONVERGE, 0); /* callers before callees: the next follows when this one is frozen */
  do
  :: atomic { able(UM) && mail?[FROZEN, _] -> mail?FROZEN, v; v = 0; nfrozen++ }
     if
     :: nfrozen < N -> ask(CONVERGE, nfrozen)
     :: else
     fi
  :: atomic { able(UM) && mail?[TRANSFERRED, _] -> mail?TRANSFERRED, v; v = 0; ntransferred++ }
  :: atomic { able(UM) && mail?[EXITED, _] -> mail?EXITED, v; v = 0; goto undo }
  :: atomic { able(UM) -> goto undo } /* a time-out, a refused check, or prctl was lost */
  :: atomic { able(UM) && ((ntransferred == N && nfrozen == N) ||
                           (BREAK == COMMIT_PART && ntransferred > 0)) -> break }
  od;
  nfrozen = 0; ntransferred = 0; refused = false;
  ask(COMMIT, 0);
  if
  :: refused && BREAK != COMMIT_PART -> goto undo
  :: else
  fi;
  do /* only the bus can say now that it fails */
  :: atomic { able(UM) && !frozen[UM] && mail?[COMMITTED, 0] -> mail?COMMITTED, v; v = 0; goto undo }
  :: atomic { able(UM) && !frozen[UM] && mail?[COMMITTED, 1] -> mail?COMMITTED, v; v = 0; goto gone }
  :: atomic { able(UM) && !frozen[UM] && BREAK == UNDO_WHILE_DECIDING -> goto undo }
  :: atomic { able(UM) && !frozen[UM] && mail?[EXITED, _] -> mail?EXITED, v; v = 0 }
  :: atomic { able(UM) && !frozen[UM] && mail?[FROZEN, _] -> mail?FROZEN, v; v = 0 }
  :: atomic { able(UM) && !frozen[UM] && mail?[TRANSFERRED, _] -> mail?TRANSFERRED, v; v = 0 }
  :: atomic { able(UM) && !frozen[UM] && say_converge[UM] ->
       say_converge[UM] = false; frozen[UM] = true; snapshot[UM] = true }
     atomic { able(UM) -> report!FROZEN, OLD(UM) }
  :: atomic { able(UM) && say_thaw[UM] ->
       say_thaw[UM] = false; frozen[UM] = false; two_never_run(UM) }
  od;
undo:
  i = 0;
  do
  :: i < MEMBERS -> ask(ABORT, i); i++
  :: else -> break
  od;
  /* Idle: it hears that its own part of the update is off. */
  if
  :: UM_TOO -> atomic { able(UM) && say_thaw[UM] -> say_thaw[UM] = false }
  :: else
  fi;
gone:
  over = true
}

proctype NewUm() {
  byte v;
  atomic { able(NEW(UM)) && snapshot[UM] -> report!TRANSFERRED, NEW(UM) }
  do
  :: atomic { able(NEW(UM)) && say_live[UM] && BREAK != MAIL_TO_VERSION && mail?[COMMITTED, 1] ->
       two_never_run(UM); mail?COMMITTED, v; v = 0; break }
  :: atomic { able(NEW(UM)) && say_live[UM] && BREAK != MAIL_TO_VERSION &&
              nempty(mail) && !mail?[COMMITTED, 1] -> mail?_, v; v = 0 }
  od;
  over = true
}

/* ---- faults, and the end ---- */

/* Who is stopped is let go on some time, or killed. */
proctype Fault() {
  byte p;
  do
  :: atomic { faults > 0 ->
       select(p : 0 .. VERSIONS - 1);
       if
       :: able(p) -> faults--; die(p)
       :: able(p) -> faults--; stopped[p] = true
       :: else
       fi;
       p = 0 }
  :: atomic { faults > 0 && over -> faults = 0 }
  :: atomic { faults == 0 -> break }
  od;
  do
  :: atomic {
       for (p : 0 .. VERSIONS - 1) {
         if
         :: stopped[p] -> break
         :: else
         fi
       }
       if
       :: p < VERSIONS -> stopped[p] = false
       :: p < VERSIONS && alive[p] -> stopped[p] = false; die(p)
       :: p < VERSIONS -> skip
       :: else -> break
       fi;
       p = 0 }
  od
}

init {
  byte i;
  atomic {
    for (i : 0 .. ENDPOINTS - 1) {
      alive[OLD(i)] = true;
      live[i] = OLD(i); next[i] = NONE; state[i] = RUNNING
    }
    for (i : 0 .. N - 1) { run Old(i) }
    run Um(); run Busd(); run Loader(); run Fault();
    i = 0
  }
  timeout; /* nothing can move any more */
  assert((over || um_died) && commit == NOTHING);
  /* Each request has one answer: from the version that serves, or an error if one died. */
  assert(replied + failed == REQUESTS && in_hand == NONE);
  assert(failed == 0 || asked_died);
  /* The state that is left has seen all that was answered, and owes nothing. */
  assert(live[ASKED] == NONE || (handled[live[ASKED]] == replied && owed[live[ASKED]] == 0));
  for (i : 0 .. ENDPOINTS - 1) {
    /* All new or all old, and nothing else is left. */
    assert(live[i] == NONE || live[i] == (committed && i < MEMBERS -> NEW(i) : OLD(i)));
    assert(next[i] == NONE && !alive[(committed && i < MEMBERS -> OLD(i) : NEW(i))]);
    assert(live[i] == NEW(i) || !alive[OLD(i)] || !frozen[i]);
    assert(state[i] == (live[i] == NONE -> DEAD : RUNNING))
  }
}
