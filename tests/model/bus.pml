/* The handover from an old busd to a new one, for Spin: the last step of an update that busd is a
 * member of. Clients send requests through the bus to a server, which is a member too and is frozen
 * when the model begins; its new version has its state. Any party may die or stop at any step, and the
 * loader may lose its patience at any moment.
 *
 * The old busd exports its tables between two events, and then reads only what the loader says. The
 * new busd imports them and asks the loader to commit. The loader decides; kills the old busd, waits
 * for its exit, and activates the new one, which first of all binds the server's endpoint to its new
 * version. What exits meanwhile the loader keeps for the busd that goes on.
 * Whatever fails before makes it kill the new busd and thaw the old one, which goes on with the old
 * server. The death of a busd that runs, or of the loader, ends the instance.
 *
 * What is proved: no request is lost, answered twice, or seen by two versions of the server; two busds
 * never run; all is new or all is old in the end, or the instance has ended because busd or the loader
 * died. BREAK is a deliberate mistake, each of which Spin must find: see run.py. */

#ifndef CLIENTS
#define CLIENTS 2 /* or 3 */
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

#define READ_AFTER_EXPORT  1 /* the old busd goes on reading its components' sockets */
#define EXPORT_BUSY        2 /* it exports in the middle of an event */
#define FORGET_TABLES      3 /* the new busd begins with empty tables */
#define FORGET_REBIND      4 /* it leaves the endpoint as it was bound before */
#define CLOSE_CHANNELS     5 /* the sockets die with the old busd: the new one has no duplicates */
#define LOSE_EXITS         6 /* what exits during the handover is told to the old busd only */
#define THAW_BUT_COMMIT    7 /* the loader thaws the old busd, and lets the new one commit later */
#define FORGET_TO_THAW     8 /* it does not thaw the old busd when it gives up */
#define ACTIVATE_EARLY     9 /* it activates the new busd, and then kills the old one if that is frozen */
#define SURVIVE_NEW       10 /* the death of the new busd after the decision does not end the instance */
#define COMMIT_BLINDLY    11 /* it decides without a look at the server's new version */
#ifndef BREAK
#define BREAK 0
#endif

/* Of busd, and of the server. */
#define OLD 0
#define NEW 1

/* Processes that can die: busd OLD and NEW, the server's versions, the loader. */
#define BUSD(b)   (b)
#define SERVER(v) (2 + (v))
#define LOADER    4
#define PROCESSES 5

mtype = { FREE, QUEUED, DELIVERED, ANSWER, ERROR };

/* Sockets between components and the bus; the kernel keeps what lies in them. */
chan from_client[CLIENTS] = [1] of {mtype};
chan to_client[CLIENTS] = [1] of {mtype};
chan to_server[2] = [1] of {byte};
chan from_server[2] = [1] of {byte};

bool alive[PROCESSES] = true, stopped[PROCESSES];
#define able(p) (alive[p] && !stopped[p])
byte faults = FAULTS;
bool ended, hit[PROCESSES]; /* by a fault */
bool new_died_early;        /* the server's new version, before the decision */

/* The tables of each busd. */
typedef tables {
  mtype request[CLIENTS];
  byte live;          /* version of the server that the endpoint is bound to */
  bool held, receiving, dead;
  byte in_hand;       /* the client whose packet was just read, plus 1: not part of the tables */
}
tables busd[2];
bool running[2], exported, imported;

/* The loader. */
bool asked, decided, gave_up, activated;
chan exits = [3] of {byte}; /* of the server, to whichever busd runs */

/* The server's state: what it has handled. */
byte handled[2];
bool server_runs[2];
byte answered[CLIENTS], errors;

inline die(p) {
  alive[p] = false;
  if
  :: p == SERVER(OLD) || p == SERVER(NEW) ->
     new_died_early = new_died_early || (p == SERVER(NEW) && !decided);
     if
     :: BREAK == LOSE_EXITS && exported && !gave_up && !activated
     :: else -> exits!p
     fi
  :: p == BUSD(OLD) && BREAK == CLOSE_CHANNELS ->
     do
     :: from_client[0]?_
     :: from_client[1]?_
     :: empty(from_client[0]) && empty(from_client[1]) -> break
     od
  :: else
  fi
}

proctype Client(byte i) {
  from_client[i]!ANSWER;
  do
  :: atomic { to_client[i]?ANSWER -> answered[i]++ }
  :: atomic { to_client[i]?ERROR -> answered[i]++; errors++ }
  od
}

proctype Server(byte v) {
  byte i;
  do
  :: atomic { able(SERVER(v)) && nempty(to_server[v]) ->
       assert(server_runs[v] && !server_runs[1 - v] || !alive[SERVER(1 - v)]);
       to_server[v]?i; handled[v]++; from_server[v]!i; i = 0 }
  od
}

/* ---- busd ---- */

inline give_up() {
  gave_up = true;
  if
  :: alive[BUSD(NEW)] && BREAK != THAW_BUT_COMMIT -> die(BUSD(NEW))
  :: else
  fi
}

#define runs(b) (running[b] && able(BUSD(b)))
#define server  busd[b].live

inline read_client(i) {
  atomic { runs(b) && busd[b].in_hand == 0 && nempty(from_client[i]) ->
    from_client[i]?_; busd[b].in_hand = i + 1 }
}

inline deliver(i) {
  atomic { runs(b) && busd[b].request[i] == QUEUED && !busd[b].held && busd[b].receiving &&
           !busd[b].dead && nfull(to_server[server]) ->
    to_server[server]!i; busd[b].request[i] = DELIVERED; busd[b].receiving = false }
}

inline fail(i) {
  atomic { runs(b) && busd[b].dead && busd[b].request[i] != FREE ->
    busd[b].request[i] = FREE; to_client[i]!ERROR }
}

inline import() {
  if
  :: BREAK != FORGET_TABLES ->
     for (i : 0 .. CLIENTS - 1) { busd[NEW].request[i] = busd[OLD].request[i] }
  :: else
  fi;
  busd[NEW].live = OLD;
  busd[NEW].receiving = true;
  imported = true;
  asked = true;
  i = 0
}

proctype Busd(byte b) {
  byte i, p;
  do
  :: read_client(0)
  :: read_client(1)
#if CLIENTS > 2
  :: read_client(2)
#endif
  :: atomic { runs(b) && busd[b].in_hand > 0 ->
       busd[b].request[busd[b].in_hand - 1] = QUEUED; busd[b].in_hand = 0 }
  :: deliver(0)
  :: deliver(1)
#if CLIENTS > 2
  :: deliver(2)
#endif
  :: fail(0)
  :: fail(1)
#if CLIENTS > 2
  :: fail(2)
#endif
  /* Its reply, and that it waits for the next message. */
  :: atomic { runs(b) && nempty(from_server[server]) ->
       from_server[server]?i; busd[b].receiving = true;
       busd[b].request[i] = FREE; to_client[i]!ANSWER; i = 0 }
  /* What a process still said is read before its exit is dealt with. */
  :: atomic { runs(b) && nempty(exits) && empty(from_server[server]) ->
       exits?p;
       if
       :: p == SERVER(server) -> busd[b].dead = true
       :: else /* the other version was given up */
       fi;
       if
       :: !exported && !gave_up -> give_up() /* the update is off before it comes to busd */
       :: else
       fi;
       p = 0 }

  :: atomic { b == OLD && runs(OLD) && !exported && !gave_up && (busd[OLD].in_hand == 0 || BREAK == EXPORT_BUSY) ->
       exported = true;
       running[OLD] = (BREAK == READ_AFTER_EXPORT) }
  :: atomic { b == NEW && able(BUSD(NEW)) && exported && !imported -> import() }
  /* Frozen, it hears that the update is off: the server's old version goes on. */
  :: atomic { b == OLD && able(BUSD(OLD)) && gave_up && busd[OLD].held &&
              BREAK != FORGET_TO_THAW ->
       running[OLD] = true;
       busd[OLD].held = false;
       server_runs[OLD] = true;
       if
       :: alive[SERVER(NEW)] -> die(SERVER(NEW))
       :: else
       fi }
  :: atomic { b == NEW && able(BUSD(NEW)) && activated && !running[NEW] ->
       assert(!(alive[BUSD(OLD)] && running[OLD]));
       running[NEW] = true;
       busd[NEW].live = (BREAK == FORGET_REBIND -> OLD : NEW);
       server_runs[NEW] = true;
       if
       :: alive[SERVER(OLD)] -> die(SERVER(OLD))
       :: else
       fi }
  od
}

/* ---- loader ---- */

inline end() {
  ended = true;
  for (i : 0 .. PROCESSES - 1) { alive[i] = false }
  i = 0
}

proctype Loader() {
  byte i;
  do
  :: atomic { able(LOADER) && asked && !decided && (!gave_up || BREAK == THAW_BUT_COMMIT) ->
       asked = false;
       if
       :: able(BUSD(NEW)) && (able(SERVER(NEW)) || BREAK == COMMIT_BLINDLY) -> decided = true
       :: else -> give_up()
       fi }
  :: atomic { able(LOADER) && exported && !decided && !gave_up -> give_up() } /* a time-out */
  :: atomic { able(LOADER) && !alive[BUSD(NEW)] && !decided && !gave_up && exported -> give_up() }
  :: atomic { able(LOADER) && decided && alive[BUSD(OLD)] && BREAK != ACTIVATE_EARLY -> die(BUSD(OLD)) }
  :: atomic { able(LOADER) && decided && !activated &&
              (!alive[BUSD(OLD)] || BREAK == ACTIVATE_EARLY) -> activated = true }
  :: atomic { able(LOADER) && !ended &&
              ((!decided && !alive[BUSD(OLD)]) ||
               (decided && !alive[BUSD(NEW)] && BREAK != SURVIVE_NEW)) -> end() }
  :: atomic { !alive[LOADER] && !ended -> end() } /* all die with their parent */
  od
}

/* ---- faults, and the end ---- */

/* Who is stopped is let go on some time, or killed. */
proctype Fault() {
  byte p;
  do
  :: atomic { faults > 0 ->
       select(p : 0 .. PROCESSES - 1);
       if
       :: able(p) -> faults--; hit[p] = true; die(p)
       :: able(p) -> faults--; stopped[p] = true
       :: else
       fi;
       p = 0 }
  :: atomic { faults > 0 && (activated || gave_up) -> faults = 0 }
  :: atomic { faults == 0 -> break }
  od;
  do
  :: atomic {
       for (p : 0 .. PROCESSES - 1) {
         if
         :: stopped[p] -> break
         :: else
         fi
       }
       if
       :: p < PROCESSES -> stopped[p] = false
       :: p < PROCESSES && alive[p] ->
          stopped[p] = false;
          hit[p] = true;
          die(p)
       :: else -> break
       fi;
       p = 0 }
  od
}

init {
  byte i;
  atomic {
    for (i : 0 .. CLIENTS - 1) {
      busd[OLD].request[i] = FREE; busd[NEW].request[i] = FREE;
      run Client(i)
    }
    busd[OLD].live = OLD; busd[OLD].held = true; busd[OLD].receiving = true;
    running[OLD] = true;
    run Server(OLD); run Server(NEW);
    run Busd(OLD); run Busd(NEW);
    run Loader(); run Fault();
    i = 0
  }
  timeout;
  if
  :: ended -> assert(hit[BUSD(OLD)] || hit[BUSD(NEW)] || hit[LOADER])
  :: else ->
     assert(decided -> activated && !gave_up : gave_up);
     assert(alive[BUSD(decided)] && running[decided] && !alive[BUSD(!decided)]);
     assert(!alive[SERVER(!decided)] && (hit[SERVER(decided)] || alive[SERVER(decided)]));
     assert(!decided || !new_died_early);
     assert(busd[decided].live == decided);
     for (i : 0 .. CLIENTS - 1) { assert(answered[i] == 1) }
     assert(errors == 0 || hit[SERVER(decided)]);
     assert(hit[SERVER(decided)] || handled[decided] == CLIENTS)
  fi
}
