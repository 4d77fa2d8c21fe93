/* Falling asleep beside an owner that forks ([F2], src/pool/idle.md "Forked jobs"): no forked job is hidden from
 * workers that all sleep.
 *
 * The owner pushes PUSHES jobs, joins some of them, and at last computes without pushing until others have taken the
 * rest. WORKERS workers search, take jobs, compute and fall asleep. If all that do not compute sleep while jobs are left,
 * nothing can happen any more: spin reports an invalid end state. Every access to shared memory is a step of its own; what is under the
 * mutex of the idle set is one. The owner's stores of `bottom` wait in a buffer, and its exchanges wait for the buffer to
 * be empty; membarrier(2) is a moment within Demand at which the buffer is empty. How a job becomes public is the matter
 * of fork_deque.pml: here a worker takes what it sees, or leaves it for now.
 *
 * Each of these breaks one step of the protocol, and must make the model fail:
 *   NO_BARRIER      Demand calls no membarrier
 *   NO_DEMAND       Demand does not lower limit
 *   DEMAND_FIRST    a worker demands before it announces its sleep
 *   NO_RECHECK      a worker parks without a last look
 *   RAISE_LATE      a told push raises limit after it looked at the sleepers
 *   FLAG_LATE       a told push sets `forked` after it looked at the sleepers
 *   NO_LOOK_AGAIN   the last searcher that found a job does not look for more
 *   NO_DEMAND_AGAIN the last searcher that found a job, and no other, does not demand for those who sleep
 */
#ifndef PUSHES
#define PUSHES 2
#endif
#ifndef WORKERS
#define WORKERS 2
#endif

#define ATTENTION 0
#define REQUESTED 1
#define RAISED 2

byte top, bottom;
byte limit = ATTENTION;
bool forked;
byte searching, sleeping;       /* the halves of counts */
bool listed[WORKERS];           /* the sleepers that nobody has woken */
bool token[WORKERS];            /* of the parkers */
byte computing;                 /* workers with a long job: not all of them */
bool over;                      /* all jobs have been taken */
chan buffer = [3] of { byte };  /* what the owner has stored to bottom */

#define DRAINED (len(buffer) == 0)
#define VISIBLE (bottom > top)

active proctype memory() {
    byte value;
end:
    do
    :: atomic { buffer ? value; bottom = value; value = 0 }
    od
}

inline notify_one() {
    if
    :: atomic { searching == 0 && sleeping > 0 -> skip }
       atomic {                 /* wake_one(): looks again, under the mutex */
          if
          :: searching == 0 && sleeping > 0 ->
             if
             :: listed[0] -> listed[0] = false; token[0] = true
             :: listed[1] -> listed[1] = false; token[1] = true
#if WORKERS > 2
             :: listed[2] -> listed[2] = false; token[2] = true
#endif
             fi;
             sleeping--; searching++
          :: else
          fi }
    :: atomic { !(searching == 0 && sleeping > 0) -> skip }
    fi
}

active proctype owner() {
    byte pushed, own_bottom;
    do
    :: pushed < PUSHES ->
       atomic { pushed++; own_bottom++; buffer ! own_bottom }
       if
       :: limit == RAISED       /* a silent push */
       :: limit != RAISED ->
#ifndef RAISE_LATE
          atomic { DRAINED -> limit = RAISED }
#endif
#ifndef FLAG_LATE
          atomic { DRAINED -> forked = true }
#endif
          DRAINED;
          notify_one();
#ifdef RAISE_LATE
          limit = RAISED;
#endif
#ifdef FLAG_LATE
          forked = true;
#endif
          skip
       fi
    :: own_bottom > top ->      /* joins its youngest job, unless that was taken meanwhile */
       atomic { if :: own_bottom > top -> DRAINED; own_bottom--; bottom = own_bottom :: else fi }
    :: pushed == PUSHES -> break
    od;
    top >= own_bottom;          /* computes */
    over = true
}

inline demand() {
#ifndef NO_DEMAND
    if
    :: forked ->
       if
       :: limit == ATTENTION
       :: limit != ATTENTION ->
          atomic { knew = (limit == ATTENTION); limit = ATTENTION }
#ifndef NO_BARRIER
          if :: knew :: else -> DRAINED fi
#endif
       fi
    :: !forked
    fi;
    knew = false
#else
    skip
#endif
}

active [WORKERS] proctype worker() {
    byte me = _pid - 2;
    bool last, knew;
begin:
    if                          /* is_done_soon(): asks before it counts as searching */
    :: limit == RAISED -> limit = REQUESTED
    :: skip
    fi;
    searching++;
    do
    :: atomic { VISIBLE -> skip }
       if                       /* asks the owner, whose limit may be another by the time it is written */
       :: limit == RAISED -> limit = REQUESTED
       :: limit != RAISED
       fi;
       if
       :: atomic { VISIBLE -> top++ }
          atomic { last = (searching == 1 && sleeping > 0); searching-- }
#ifndef NO_LOOK_AGAIN
          if
          :: atomic { last && VISIBLE -> skip }
             notify_one()
          :: atomic { last && !VISIBLE -> skip }
#ifndef NO_DEMAND_AGAIN
             if
             :: sleeping > 0 ->
                demand();
                if
                :: atomic { VISIBLE -> skip }
                   notify_one()
                :: atomic { !VISIBLE -> skip }
                fi
             :: sleeping == 0
             fi
#endif
          :: !last
          fi;
#endif
          last = false;
          if
          :: true               /* a short job */
          :: atomic { computing < WORKERS - 1 -> computing++ }
             over               /* a long one: it ends when all others have begun */
          fi;
          goto begin
       :: skip                  /* could not take it */
       fi
    :: atomic { !VISIBLE -> skip }
#ifdef DEMAND_FIRST
       demand();
#endif
       atomic { listed[me] = true; searching--; sleeping++ }
#ifndef DEMAND_FIRST
       demand();
#endif
#ifndef NO_RECHECK
       if
       :: VISIBLE
       :: !VISIBLE ->
#endif
end:      atomic { token[me] -> token[me] = false }
#ifndef NO_RECHECK
       fi;
#endif
       atomic {                 /* retract_sleep(); whoever took it off the list has counted it as searching */
          if
          :: listed[me] -> listed[me] = false; sleeping--; searching++
          :: else
          fi }
    od
}
