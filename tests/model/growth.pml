/* A pool that grows and shrinks (src/pool/idle.md, "More workers for a while"): work that waits while every worker is
 * blocked is seen by the watcher; a worker that leaves takes no wake-up with it; and the pool comes to its end.
 *
 * One worker belongs to the pool for good. It runs item 1, which blocks until all others have run: so the watcher must let
 * the pool grow by a second worker, again each time that one has left. A worker that leaves may post an item in its stop
 * handler, and leaves it to the others. Then the owner destroys the pool. If anything stays undone, spin reports an invalid end
 * state. The parker is one bit, and what is under the mutex of the idle set is one step: the finer
 * steps are the matter of idle.pml. The watcher looks again and again; here it waits until there is something to see.
 *
 * Each of these breaks one step of the protocol, and must make the model fail:
 *   WATCHER_IS_NOT_WOKEN    a waker that finds nobody on the list does not wake the watcher
 *   WATCHER_PARKS_BLINDLY   the watcher does not look once more before it parks
 *   WATCHER_LOOKS_FIRST     it looks before it announces that it sleeps
 *   WATCHER_SEARCHES        a watcher that is woken counts as searching
 *   WATCHER_IS_NOT_TOLD     of the end
 *   COUNTED_LATE            a new worker counts only when it has begun
 *   FAILURE_COUNTS          a worker that could not be started still counts
 *   LEAVES_LATE             a worker leaves though the pool has begun to drain, and perhaps has found its end with it
 *   LEAVES_UNASKED          a worker leaves although somebody has just woken it
 *   LEAVER_SEARCHES         a worker that leaves counts as searching
 *   LEAVER_COUNTS_ON        it still counts when it has ended
 *   LEAVER_COUNTS_NO_MORE   it does not count while its stop handler runs
 *   LEAVER_WORKS            it runs what that posted, waits there, and goes on counting as searching, as it has left
 *   LEAVER_TELLS_NOBODY     that it has ended, while the pool drains
 */
#ifndef POSTS
#define POSTS 3
#endif
#ifndef LEAVES
#define LEAVES 1     /* how often a worker leaves */
#endif
#ifndef FAILURES
#define FAILURES 1   /* how often no thread is to be had */
#endif
#ifndef STOP_POSTS
#define STOP_POSTS 1 /* how many items stop handlers post */
#endif

#define PERMANENT 0
#define EXTRA 1
#define WATCHER 2

chan queue = [POSTS] of { byte };
chan own = [STOP_POSTS] of { byte };  /* the deque of the second worker: what its stop handlers post */
byte pushed, ran;               /* how many */
byte searching, sleeping;       /* the halves of counts_ */
bool listed[2];                 /* sleepers_ */
bool watcher_listed;            /* watcher_ != null */
byte workers = 1;               /* workers_ */
bool token[3];                  /* of the parkers */
bool place_free = true;         /* of the second worker */
bool draining, terminated;
byte leaves = LEAVES, failures = FAILURES, stop_posts = STOP_POSTS;
byte ended;                     /* threads: the permanent worker, the watcher */

#define VISIBLE (len(queue) + len(own) > 0)

inline notify_one() {
    if
    :: atomic { searching == 0 && sleeping > 0 -> skip }
       atomic {
          if
          :: searching > 0
          :: searching == 0 && listed[PERMANENT] ->
             listed[PERMANENT] = false; sleeping--; searching++; token[PERMANENT] = true
          :: searching == 0 && listed[EXTRA] -> listed[EXTRA] = false; sleeping--; searching++; token[EXTRA] = true
          :: searching == 0 && !listed[PERMANENT] && !listed[EXTRA] ->
#ifndef WATCHER_IS_NOT_WOKEN
             if
             :: watcher_listed -> watcher_listed = false; sleeping--; token[WATCHER] = true;
#ifdef WATCHER_SEARCHES
                searching++
#endif
             :: else
             fi
#else
             skip
#endif
          fi }
    :: atomic { !(searching == 0 && sleeping > 0) -> skip }
    fi
}

inline wake_all() {
    atomic {
        if :: listed[PERMANENT] -> token[PERMANENT] = true :: else fi;
        if :: listed[EXTRA] -> token[EXTRA] = true :: else fi;
#ifndef WATCHER_IS_NOT_TOLD
        if :: watcher_listed -> token[WATCHER] = true :: else fi
#endif
    }
}

inline nudge() {
    if
    :: draining -> wake_all()
    :: !draining
    fi
}

inline execute() {
    assert(!terminated);
    if
    :: item == 1 -> ran >= POSTS - 1  /* blocked until all others of the poster have run */
    :: else
    fi;
    atomic { ran++; item = 0 }
}

proctype worker(byte me) {
    byte item;
    bool last, left;
#ifdef COUNTED_LATE
    if :: me == EXTRA -> workers++ :: else fi;
#endif
busy:
    do
    :: atomic { len(queue) > 0 -> queue ? item }
       execute()
    :: atomic { len(queue) == 0 -> searching++; break }
    od;
look:
    if
    :: atomic { VISIBLE -> if :: queue ? item :: own ? item fi }
       atomic { last = (searching == 1 && sleeping > 0); searching-- }
       if
       :: atomic { last && VISIBLE -> skip }
          notify_one()
       :: atomic { !(last && VISIBLE) -> skip }
       fi;
       last = false;
       execute();
       goto busy
    :: atomic { !VISIBLE && terminated -> searching-- }
       goto over
    :: atomic { !VISIBLE && !terminated -> skip }
    fi;
    atomic { listed[me] = true; searching--; sleeping++ }  /* Announce */
    if
    :: atomic { VISIBLE || terminated -> goto retract }    /* Recheck */
    :: atomic { !VISIBLE && !terminated -> skip }
    fi;
    if
    :: draining ->
       atomic {                 /* try_terminate() */
          if
          :: listed[PERMANENT] + listed[EXTRA] == workers && !VISIBLE ->
             assert(ran == pushed); terminated = true; last = true
          :: else
          fi }
       if
       :: last -> last = false; wake_all()
       :: else
       fi
    :: !draining
    fi;
end_parked:
    if
    :: atomic { token[me] -> token[me] = false }
    :: atomic { me == EXTRA && leaves > 0 -> leaves-- }  /* keep_alive has passed */
       atomic {                 /* idle_set::try_leave() */
          if
#ifdef LEAVES_LATE
          :: listed[me] -> listed[me] = false; sleeping--; left = true
#else
          :: listed[me] && !draining -> listed[me] = false; sleeping--; left = true
#endif
#ifdef LEAVER_SEARCHES
             ; searching++
#endif
#ifdef LEAVES_UNASKED
          :: !listed[me] -> searching--; left = true  /* what it does with the search is lost */
          :: listed[me] && draining -> skip
#else
          :: else
#endif
          fi }
       if
       :: left -> goto leaving
       :: else
       fi
    fi;
retract:
    atomic {
        if
        :: listed[me] -> listed[me] = false; sleeping--; searching++
        :: else
        fi }
    goto look;

leaving:
#ifdef LEAVER_COUNTS_NO_MORE
    workers--;
#endif
    if                          /* on_thread_stop */
    :: atomic { stop_posts > 0 -> stop_posts--; pushed++; own ! POSTS + 1 }
       notify_one()
    :: skip
    fi;
#ifdef LEAVER_WORKS
    do
    :: atomic { len(own) > 0 -> own ? item; searching++ }
       execute()
    :: atomic { len(own) == 0 -> break }
    od;
#endif
#if !defined(LEAVER_COUNTS_ON) && !defined(LEAVER_COUNTS_NO_MORE)
    workers--;
#endif
#ifndef LEAVER_TELLS_NOBODY
    nudge();
#endif
    place_free = true;
    goto gone;
over:
    if
    :: me == PERMANENT -> ended++
    :: me == EXTRA -> place_free = true
    fi;
gone:
    skip
}

proctype watcher() {
    do
    :: terminated -> break
    :: !terminated ->
#ifdef WATCHER_LOOKS_FIRST
       if
       :: atomic { VISIBLE || terminated -> skip }
       :: atomic { !VISIBLE && !terminated -> skip }
          atomic { watcher_listed = true; sleeping++ }
end_watching_late:
          atomic { token[WATCHER] -> token[WATCHER] = false }
       fi;
#else
       atomic { watcher_listed = true; sleeping++ }
#ifndef WATCHER_PARKS_BLINDLY
       if
       :: atomic { VISIBLE || terminated -> skip }
       :: atomic { !VISIBLE && !terminated -> skip }
#endif
end_watching:
          atomic { token[WATCHER] -> token[WATCHER] = false }
#ifndef WATCHER_PARKS_BLINDLY
       fi;
#endif
#endif
       atomic {
          if
          :: watcher_listed -> watcher_listed = false; sleeping--
          :: else
          fi }
       do
       :: atomic { !VISIBLE || terminated -> break }
       :: atomic { VISIBLE && searching == 0 && sleeping == 0 && place_free ->  /* everybody_is_busy() */
             place_free = false;
#ifndef COUNTED_LATE
             workers++
#endif
          }
          if
          :: run worker(EXTRA)
          :: atomic { failures > 0 -> failures-- }
#ifndef FAILURE_COUNTS
             workers--;
#endif
             nudge();
             place_free = true
          fi
       od
    od;
    ended++
}

init {
    byte posted;
    atomic { run worker(PERMANENT); run watcher() }
    do
    :: posted < POSTS ->
       atomic { posted++; pushed++; queue ! posted }
       notify_one()
    :: posted == POSTS -> break
    od;
    if
    :: true -> ran >= POSTS     /* to be destroyed would wake everybody, and hide what was missed before */
    :: true
    fi;
    draining = true;
    wake_all();
    ended == 2 && place_free;
    assert(ran == pushed)
}
