/* The deque of forked jobs (include/exec/vocab/fork_deque.hpp): every job is taken once, by its owner or by a thief.
 *
 * The owner pushes PUSHES jobs, nested in every way, and takes them back; each of two thieves steals and forces as it
 * likes. Every access to shared memory is a step of its own. The owner's plain stores (a slot, `bottom`) wait in a
 * buffer, as those of x86 and, being release stores, of ARM do, until memory takes them, oldest first; its exchanges
 * wait for the buffer to be empty. membarrier(2) is a moment within force() at which the buffer is empty.
 *
 * What the model leaves out: `limit` only decides when the owner publishes, so here it publishes when it likes; the
 * deque is full when it is, not when the owner remembers it so.
 *
 * Each of these breaks one step of the protocol, and must make the model fail:
 *   NO_BARRIER         force() calls no membarrier
 *   NO_GUARD           force() does not raise guard first
 *   OLD_BOTTOM         force() does not read bottom again after the barrier
 *   BLIND_FORCE        force() stores its result whatever became of split meanwhile
 *   TWO_FORCERS        force() takes no lock
 *   POP_LOOKS_FIRST    a slow pop looks at top before it claims the job
 *   POP_CLAIMS_LAST    a slow pop claims the job when it has decided
 *   POP_LAST_FREELY    a slow pop takes the last job without a compare-exchange
 *   POP_LEAVES_BOTTOM  a slow pop that lost leaves bottom below top
 *   STEAL_SPLIT_FIRST  a thief reads split before top
 *   STEAL_SLOT_LAST    a thief reads the slot after it took the index
 *   PUSH_BOTTOM_FIRST  a push stores bottom before the slot
 *   OVERFULL           a push does not ask whether the deque is full
 */
#ifndef PUSHES
#define PUSHES 3
#endif
#define CAPACITY 2

byte top, verified, guard;      /* verified and guard are one word, split */
byte bottom;
byte slots[CAPACITY];           /* jobs are numbered from 1 */
bool forcing;
bool over;

chan buffer = [6] of { byte, byte };  /* what the owner has stored: CAPACITY and a bottom, or a slot and a job */

bool stolen[PUSHES + 1];        /* what became of each job */
bool taken_back[PUSHES + 1];

#define DRAINED (len(buffer) == 0)
#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

active proctype memory() {
    byte place, value;
end:
    do
    :: atomic { buffer ? place, value;
          if
          :: place == CAPACITY -> bottom = value
          :: else -> slots[place] = value
          fi;
          place = 0; value = 0 }
    od
}

#define TAKE(number) \
    assert(number != 0 && !stolen[number] && !taken_back[number]); stolen[number] = true

inline steal() {
#ifdef STEAL_SPLIT_FIRST
    seen_verified = verified;
    seen_top = top;
#else
    seen_top = top;
    seen_verified = verified;
#endif
    if
    :: seen_verified <= seen_top
    :: else ->
#ifdef STEAL_SLOT_LAST
       if
       :: atomic { top == seen_top -> top++; number = slots[seen_top % CAPACITY]; TAKE(number) }
          assert(number == slots[seen_top % CAPACITY])
       :: top != seen_top
       fi
#else
       number = slots[seen_top % CAPACITY];
       if
       :: atomic { top == seen_top -> top++; TAKE(number) }
       :: top != seen_top
       fi
#endif
    fi;
    atomic { seen_top = 0; seen_verified = 0; number = 0 }
}

active proctype owner() {
    byte pushed;
    byte own_bottom;            /* bottom as its only writer sees it */
    byte depth;                 /* of the jobs that are not joined; their indices and numbers: */
    byte index[PUSHES], job[PUSHES];
    byte seen_top, seen_verified, number, at;
    bool mine;
    do
#ifdef OVERFULL
    :: pushed < PUSHES ->
#else
    :: pushed < PUSHES && own_bottom - top < CAPACITY ->
#endif
       pushed++;
#ifdef PUSH_BOTTOM_FIRST
       buffer ! CAPACITY, own_bottom + 1;
       buffer ! own_bottom % CAPACITY, pushed;
#else
       buffer ! own_bottom % CAPACITY, pushed;
       buffer ! CAPACITY, own_bottom + 1;
#endif
       atomic { index[depth] = own_bottom; job[depth] = pushed; depth++; own_bottom++ }
       if
       :: skip
       :: seen_top = top;       /* somebody asked: publish the older half, or all */
          if
          :: at = seen_top + (own_bottom - seen_top + 1) / 2
          :: at = own_bottom
          fi;
          atomic { DRAINED -> verified = MAX(verified, at); guard = verified; at = 0; seen_top = 0 }
       fi
    :: depth > 0 ->
       atomic { depth--; at = index[depth]; own_bottom = at; buffer ! CAPACITY, at }
       if
       :: atomic { guard == verified && at >= guard -> mine = true }  /* the fast way: the word split is not above it */
       :: atomic { !(guard == verified && at >= guard) -> skip }
#ifdef POP_LOOKS_FIRST
          seen_top = top;
#endif
#ifndef POP_CLAIMS_LAST
          if
          :: atomic { at >= guard -> mine = true; goto popped }
          :: atomic { at < guard && DRAINED -> verified = MIN(verified, at); guard = verified }
          fi;
#endif
#ifndef POP_LOOKS_FIRST
          seen_top = top;
#endif
          if
          :: seen_top < at -> mine = true
#ifdef POP_LAST_FREELY
          :: seen_top == at -> atomic { DRAINED -> top = at + 1; mine = true }
#else
          :: seen_top == at ->
             atomic { DRAINED -> if :: top == at -> top = at + 1; mine = true :: else -> seen_top = top fi }
#endif
          :: seen_top > at
          fi;
#ifdef POP_CLAIMS_LAST
          atomic { DRAINED -> verified = MIN(verified, at); guard = verified }
#endif
#ifndef POP_LEAVES_BOTTOM
          if
          :: atomic { seen_top >= at -> own_bottom = (mine -> at + 1 : seen_top); buffer ! CAPACITY, own_bottom }
          :: seen_top < at
          fi
#endif
       fi;
popped:
       atomic {
          if
          :: mine -> assert(!stolen[job[depth]] && !taken_back[job[depth]]); taken_back[job[depth]] = true
          :: else -> assert(stolen[job[depth]])
          fi;
          index[depth] = 0; job[depth] = 0; at = 0; seen_top = 0; mine = false }
    :: depth > 0 && own_bottom > top ->  /* it waits for something else, and works meanwhile: take_own_fork() */
       atomic { DRAINED -> verified = MAX(verified, own_bottom); guard = verified }
       steal()
    :: pushed == PUSHES && depth == 0 -> break
    od;
    over = true
}

inline force() {
    atomic { seen_verified = verified; seen_guard = guard }
    from = top;
    from = MAX(seen_verified, from);
    goal = bottom;
    goal = MIN(goal, from + CAPACITY);
    if
    :: goal <= from
    :: else ->
#ifndef NO_GUARD
       if
       :: atomic { verified == seen_verified && guard == seen_guard -> verified = from; guard = goal;
             seen_verified = from; seen_guard = goal }
#endif
#ifndef NO_BARRIER
          DRAINED;
#endif
#ifndef OLD_BOTTOM
          reached = bottom;
          reached = MAX(from, MIN(reached, goal));
#else
          reached = goal;
#endif
#ifdef BLIND_FORCE
          atomic { verified = reached; guard = reached }
#else
          if
          :: atomic { verified == seen_verified && guard == seen_guard -> verified = reached; guard = reached }
          :: verified != seen_verified || guard != seen_guard
          fi
#endif
#ifndef NO_GUARD
       :: verified != seen_verified || guard != seen_guard
       fi
#endif
    fi;
    atomic { seen_verified = 0; seen_guard = 0; goal = 0; from = 0; reached = 0 }
}

active [2] proctype thief() {
    byte seen_top, seen_verified, seen_guard, number, goal, from, reached;
    do
    :: over -> break
    :: steal()
#ifdef TWO_FORCERS
    :: force()
#else
    :: atomic { !forcing -> forcing = true }
       force();
       forcing = false
#endif
    od
}
