/* A ring whose owner computes is looked after (src/io/busy_workers.md): what completes there is handed over though the
 * owner never comes again, what goes on after a part is begun again, and a stop that comes meanwhile reaches it.
 *
 * The owner begins one operation, and then computes for ever, or rests in its ring, or does one after the other, at any
 * moment. The operation completes by half (once), then as a whole; or, when it is to be stopped, only by a cancellation that
 * finds it: so whatever is missed is an invalid end state. Generations: a cancellation finds what it was made for. The lock
 * is a bit, which the resting owner keeps (why it is a lock: src/io/owner_lock.hpp); what is done under it without waiting is one step, as is what is under
 * the inbox's. The parkers are one bit each.
 *
 * Each of these breaks one step of the protocol, and must make the model fail:
 *   LOOKS_BEFORE_SLEEP     the attendant looks, and only then says that it sleeps
 *   PARKS_BLINDLY          it does not look once more before it parks
 *   BEGUN_UNTOLD           the owner does not tell that its first operation has begun
 *   RISEN_UNTOLD           nor that it has stopped resting
 *   RISEN_TOLD_EARLY       it tells before it has stopped resting
 *   WAITS_FOR_THE_LOCK     the attendant waits for the lock to begin the rest of an operation
 *   RETURN_IS_NOT_TOLD     it does not unpark the owner for what it gives back
 *   RETURNED_NEEDS_NOBODY  what was given back does not count as needing attention
 *   STOP_IS_LOST           who takes back does not look for a stop
 *   STOP_IS_OVERLOOKED     nor who begins
 *   LEFT_NEEDS_NOBODY      what the owner has left to a sleep that does not come does not count as needing attention
 */
#ifndef REQUEST_STOP
#define REQUEST_STOP 1
#endif
#define NOWHERE 0
#define PREPARED 1     /* and submitted, or not yet: `submitted` */
#define COMPLETED 2
#define IN_HAND 3
#define RETURNED 4
#define DONE 5

byte where = NOWHERE;
byte generation;
bool locked;
bool submitted;              /* in which the kernel sees what is prepared */
bool parted;                 /* a part was transferred: the next completion is the last */
bool result_is_part;
bool in_flight;              /* unfinished_ != 0 */
bool inbox_full;
bool resting, token;
bool asleep, come_token;
bool stop_asked, listed, stop_over;
byte cancelled_generation;   /* 0: none was submitted */

#ifdef RETURNED_NEEDS_NOBODY
#define NEEDED (in_flight && !resting)
#elif defined(LEFT_NEEDS_NOBODY)
#define NEEDED (((in_flight && submitted) || inbox_full) && !resting)
#else
#define NEEDED ((in_flight || inbox_full) && !resting)
#endif

inline come() {
    if
    :: atomic { asleep -> asleep = false; come_token = true }
    :: atomic { !asleep -> skip }
    fi
}

/* Under the lock. */
inline begin() {
    atomic {
       where = PREPARED; in_flight = true; generation++; submitted = false;
#ifndef STOP_IS_OVERLOOKED
       if
       :: stop_asked && !listed -> listed = true; inbox_full = true
       :: else
       fi
#endif
    }
}

inline take_back() {
    if
    :: where == RETURNED ->
       where = PREPARED; in_flight = true; generation++;
#ifndef STOP_IS_LOST
       if
       :: stop_asked && !listed -> listed = true; inbox_full = true
       :: else
       fi
#endif
    :: else
    fi
}
inline cancel_what_is_listed() {
    if
    :: listed -> listed = false; cancelled_generation = generation
    :: else
    fi;
    inbox_full = false
}

inline serve() {     /* prepare_all(), submit_prepared(), take_completions(): with the lock */
    atomic {
        take_back();
        cancel_what_is_listed();
        submitted = true;
        if
        :: where == COMPLETED -> where = IN_HAND; in_flight = false; mine = true
        :: else -> mine = false
        fi
    }
}

proctype kernel() {
    do
    :: atomic { where == PREPARED && submitted && cancelled_generation == generation ->
          result_is_part = false; where = COMPLETED }
    :: atomic { where == PREPARED && submitted && !parted -> parted = true; result_is_part = true; where = COMPLETED }
    :: atomic { where == PREPARED && submitted && parted && REQUEST_STOP == 0 -> result_is_part = false; where = COMPLETED }
    :: where == DONE -> break
    od
}

proctype stopper() {
    if
    :: REQUEST_STOP == 0
    :: else ->
       stop_asked = true;
       if
       :: where == DONE
       :: else ->
          atomic { listed = true; inbox_full = true }
          token = true
       fi
    fi;
    stop_over = true
}

proctype owner() {
    bool mine, stop_seen, more = true;
    atomic { !locked -> locked = true }
    begin();
#ifndef BEGUN_UNTOLD
    come();
#endif
    locked = false;
    do
    :: where == DONE -> break
    :: more -> more = false    /* computes for ever: what follows never comes */
       where == DONE; break
    :: atomic { !locked -> locked = true }
       if
       :: atomic { (!inbox_full && where != COMPLETED) -> mine = false }    /* leaves it to its sleep */
       :: serve()
       fi;
       locked = false;
       if
       :: mine ->
          stop_seen = stop_asked;
          if
          :: result_is_part && !stop_seen ->
             atomic { !locked -> locked = true }
             begin();
             come();
             locked = false
          :: else -> where = DONE
          fi
       :: else
       fi;
       atomic { !locked -> locked = true }
       if
       :: atomic { (inbox_full || token) -> token = false; submitted = true }
       :: atomic { !inbox_full && !token -> resting = true }
          submitted = true;
          atomic { (where == COMPLETED || token || where == DONE) -> token = false }
#ifdef RISEN_TOLD_EARLY
          come();
          resting = false
#else
          resting = false;
#ifndef RISEN_UNTOLD
          if
          :: NEEDED -> come()
          :: else
          fi
#endif
#endif
       fi;
       locked = false
    od
}

proctype attendant() {
    bool mine, stop_seen;
    do
    :: where == DONE -> break
    :: where != DONE ->
       if
       :: NEEDED ->
          if
          :: atomic { !locked -> locked = true }
             serve();
             locked = false;
             if
             :: mine ->
                stop_seen = stop_asked;
                if
                :: result_is_part && !stop_seen ->
#ifdef WAITS_FOR_THE_LOCK
                   atomic { !locked -> locked = true }
                   begin();
                   locked = false
#else
                   atomic { where = RETURNED; inbox_full = true }
#ifndef RETURN_IS_NOT_TOLD
                   token = true
#endif
#endif
                :: else -> where = DONE
                fi
             :: else
             fi
          :: atomic { locked -> skip }
          fi
       :: else ->
#ifdef LOOKS_BEFORE_SLEEP
          if
          :: NEEDED || where == DONE
          :: else ->
             asleep = true;
end_sleep:   atomic { (come_token || where == DONE) -> come_token = false }
          fi;
#else
          asleep = true;
#ifdef PARKS_BLINDLY
end_sleep:atomic { (come_token || where == DONE) -> come_token = false }
#else
          if
          :: NEEDED || where == DONE
          :: else ->
end_sleep:   atomic { (come_token || where == DONE) -> come_token = false }
          fi;
#endif
#endif
          asleep = false
       fi
    od
}

init {
    atomic { run kernel(); run stopper(); run owner(); run attendant() }
    stop_over && where == DONE
}
