/* A worker's loop, and how it finds the end: worker.cpp, pool_core::try_terminate(). */

#if WAIT
#define done(me) ((nested && waiter == is_ended) || (!nested && terminated))
#else
#define done(me) (terminated)
#endif

/* ---- the end ---- */

#ifdef DRAIN

/* The answers of the conditions are collected in `last`. */
inline try_terminate() {
    atomic {
        if
#ifdef FAULT_timers_may_be_open
        :: last = 1
#else
        :: timers_closed -> last = 1
#endif
        :: else
        fi
    }
#ifdef TIMERS
    if
    :: last -> atomic { !timers_locked; last = !armed[1] && !armed[2] }   /* timer_set::empty() */
    :: else
    fi;
#endif
    if
    :: last ->                         /* idle_set::all_asleep_and() */
        atomic {
            !locked;
            if
#ifdef FAULT_end_is_decided_unlocked
            :: asleep == WORKERS
#else
            :: asleep == WORKERS -> locked = 1
#endif
            :: else -> last = 0
            fi
        }
    :: else
    fi;
    if
    :: last ->
        atomic { last = (nested_waits == 0) }
#if defined(IO) || defined(RING)
        if
        :: last -> atomic { last = (operations == 0) }                     /* pool_extension::quiet() */
        :: else
        fi;
#endif
#ifndef FAULT_end_without_a_look
        if
        :: last -> has_visible_work()
        :: else
        fi;
#endif
#if defined(BROADCAST) && !defined(FAULT_end_overlooks_shares)
        if
        :: last && !seen -> see_all_shares()
        :: else
        fi;
#endif
        atomic {
            if
            :: last && !seen -> assert(ran == all_items); terminated = 1
            :: else -> last = 0
            fi;
            seen = 0;
#ifndef FAULT_end_is_decided_unlocked
            locked = 0
#endif
        }
        if
#ifdef FAULT_end_is_not_told
        :: last -> last = 0
#else
        :: last -> last = 0; wake_all()
#endif
        :: else
        fi
    :: else
    fi
}

#else
#define try_terminate() skip
#endif

/* ---- the loop ---- */

proctype worker(byte me) {
    byte item, at, left, chosen, first, second, until;
    bit seen, was, last, nested;

#ifdef ASLEEP
    atomic { until = never; goto end_parked }
#endif
work:                                  /* next(): first the own queues */
    take_own(me);
    if
    :: item != none -> goto run_item
#ifdef IN_TURN
    :: item != none                    /* take_in_turn() */
#endif
    :: item == none ->
        collect(me);
#if defined(TIMERS) || defined(RING)
        take(own(me));
        if
        :: item != none -> goto run_item
        :: else
        fi
#endif
    fi;
#ifdef BROADCAST
    if
    :: item == none -> take_share(me)
    :: else
    fi;
    if
    :: item != none -> goto run_item
    :: else
    fi;
#endif
    admit_injected(me);
    if
    :: item == none -> take(own(me))
    :: else
    fi;
#ifndef FAULT_what_was_moved_is_not_told
    if
    :: nempty(queue[own(me)]) -> notify_one()                              /* take_ready_and_tell(), take_in_turn() */
    :: empty(queue[own(me)])
    fi;
#endif
    if
    :: item != none -> goto run_item
    :: else
    fi;

#if WAIT
    if
    :: atomic { nested && waiter == is_ended -> goto wait_ended }           /* is_done_soon(): never counted as searching */
    :: true
    fi;
#endif
    searching++;                       /* search(): begin_search() */
look:                                  /* look_everywhere() */
    collect(me);
    admit_injected(me);
    take_anywhere();
#ifdef BROADCAST
    if
    :: item == none -> take_share(me)
    :: else
    fi;
#endif
    if
    :: item != none -> goto found
    :: else
    fi;
    if
    :: done(me) -> goto found
    :: !done(me)
    fi;

#ifdef FAULT_recheck_before_announce
    has_visible_work();
#endif
    announce_sleep(me);                /* sleep(): Announce */
#if !defined(FAULT_no_recheck) && !defined(FAULT_recheck_before_announce)
    has_visible_work();                /* Recheck */
#endif
#if defined(BROADCAST) && !defined(FAULT_recheck_overlooks_the_share)
    if
    :: !seen -> see_share(me)
    :: else
    fi;
#endif
    if
    :: !seen ->
        if
        :: atomic { done(me) -> seen = 1 }
        :: !done(me)
        fi
    :: else
    fi;
    if
    :: !seen ->
        if
        :: draining -> try_terminate()
        :: !draining
        fi;
        if
        :: atomic { done(me) -> seen = 1 }
        :: !done(me)
        fi
    :: else
    fi;
    if
    :: !seen -> park(me)
    :: else -> seen = 0
    fi;
    retract_sleep(me);
    if
    :: !done(me) -> goto look
    :: done(me)
    fi;

found:
#ifdef FAULT_last_searcher_is_not_known
    last = (searching == 1 && asleep > 0);
    searching--;
#else
    atomic { last = (searching == 1 && asleep > 0); searching-- }         /* EndSearch */
#endif
#ifdef FAULT_no_look_again
    last = 0;
#endif
    if
    :: last ->                         /* LookAgain */
        last = 0;
        has_visible_work();
        if
        :: seen -> seen = 0; notify_one()
#if defined(TIMERS) && !defined(FAULT_time_is_not_kept)
        :: else -> keep_time()
#else
        :: else
#endif
        fi
    :: else
    fi;
    if
    :: item != none -> goto run_item
#if WAIT
    :: item == none && nested -> goto wait_ended
    :: item == none && !nested -> goto over
#else
    :: else -> goto over
#endif
    fi;

run_item:
progress_item:                         /* a run that goes on for ever, and comes here no more, is an error */
    execute(me);
    goto work;

over:
    ended++
}
