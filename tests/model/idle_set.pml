/* The parker and the idle set: futex_parker.cpp, idle_set.hpp, idle_set.cpp. The variables was, chosen, left and until
 * belong to the process that runs the steps. */

/* ---- futex_parker ---- */

#ifdef SMALL_PARKER

inline unpark(who) {
    atomic { assert(!destroyed); state[who] = notified }
}

inline park(me) {
    skip;
end_parked:
    if
    :: atomic { state[me] == notified -> state[me] = unparked }
#ifdef TIMERS
    :: until <= now
#endif
#ifdef RING
    :: me == ring_owner && nempty(ring)
#endif
    :: atomic { spurious > 0 -> spurious-- }
    fi
}

#else

inline unpark(who) {
    atomic {                           /* the exchange */
        assert(!destroyed);
        if
        :: state[who] == parked -> was = 1; state[who] = notified
#ifdef FAULT_unpark_is_not_remembered
        :: else
#else
        :: else -> state[who] = notified
#endif
        fi
    }
    if
    :: was -> atomic { assert(!destroyed); was = 0; in_futex[who] = 0 }   /* FUTEX_WAKE */
    :: else
    fi
}

inline park(me) {
    if
#ifdef FAULT_park_overwrites
    :: state[me] = parked;
#else
#ifdef FAULT_notification_is_not_used_up
    :: state[me] != unparked
#else
    :: atomic { state[me] != unparked -> state[me] = unparked }
#endif
    :: atomic { state[me] == unparked -> state[me] = parked }
#endif
        if
        :: atomic { state[me] == parked -> in_futex[me] = 1 }             /* FUTEX_WAIT compares once more */
end_parked:
            if
            :: !in_futex[me]
#ifdef TIMERS
            :: atomic { until <= now -> in_futex[me] = 0 }
#endif
#ifdef RING
            :: atomic { me == ring_owner && nempty(ring) -> in_futex[me] = 0 }
#endif
            :: atomic { spurious > 0 -> spurious--; in_futex[me] = 0 }
            fi
#ifdef FAULT_futex_does_not_compare
        :: atomic { state[me] != parked -> in_futex[me] = 1 } !in_futex[me]
#else
        :: state[me] != parked
#endif
        fi;
        state[me] = unparked
    fi
}

#endif

/* ---- idle_set ---- */

inline erase(who) {
    place = 0;
    do
    :: sleepers[place] != who -> place++
    :: else -> break
    od;
    do
    :: place + 1 < asleep -> sleepers[place] = sleepers[place + 1]; place++
    :: else -> break
    od;
    sleepers[place] = none;
    asleep--
}

inline notify_one() {
    atomic {                           /* ReadCounts */
        assert(!destroyed);
        if
        :: searching == 0 && asleep > 0 -> chosen = 1
        :: else
        fi
    }
    if
    :: chosen != none -> wake_one()
    :: else
    fi
}

inline wake_one() {
    atomic {
        !locked;
        assert(!destroyed);
        if
        :: asleep == 0 || searching > 0 -> chosen = none
        :: else ->
            locked = 1;
            if
            :: asleep > 1 && sleepers[asleep - 1] == timekeeper -> chosen = sleepers[asleep - 2]
            :: else -> chosen = sleepers[asleep - 1]
            fi
        fi
    }
    if
    :: chosen != none ->
        d_step {
            erase(chosen);
#ifndef FAULT_woken_is_not_counted
            searching++;
#endif
            locked = 0
        }
        unpark(chosen);
        chosen = none
    :: else
    fi
}

/* The order does not matter: the mutex is held. */
inline wake_all() {
    atomic { !locked; assert(!destroyed); locked = 1; left = asleep }
    do
    :: left > 0 -> left--; unpark(sleepers[left])
    :: left == 0 -> break
    od;
    locked = 0
}

/* announce_sleep(): Announce. */
inline announce_sleep(me) {
#ifdef FAULT_deadline_is_read_before_the_lock
    until = next;
#endif
    atomic {
        !locked;
        sleepers[asleep] = me;
        asleep++;
        searching--;
#ifdef TIMERS
        locked = 1
    }
    atomic {
        if
        :: timekeeper != none -> until = never
        :: else ->
#ifndef FAULT_deadline_is_read_before_the_lock
            until = next;
#endif
            if
            :: until != never -> timekeeper = me
            :: else
            fi
        fi;
        locked = 0
#endif
    }
}

inline retract_sleep(me) {
    atomic {
        !locked;
        d_step {
            place = 0;
            do
            :: place < asleep && sleepers[place] != me -> place++
            :: else -> break
            od;
            if
            :: place < asleep ->
                erase(me);
#ifndef FAULT_retract_does_not_count
                searching++
#endif
#ifdef FAULT_retract_counts_always
            :: else -> searching++
#else
            :: else
#endif
            fi;
#ifndef FAULT_office_is_kept
            if
            :: timekeeper == me -> timekeeper = none
            :: else
            fi;
#endif
            until = none
        }
    }
}

#ifdef TIMERS
inline notify_deadline() {
    atomic {
        !locked;
        if
        :: timekeeper != none -> chosen = timekeeper
        :: else -> chosen = sleepers[0]
        fi
    }
    if
    :: chosen != none -> unpark(chosen); chosen = none
    :: else
    fi
}

/* The last searcher has found an item. */
inline keep_time() {
    atomic {
        if
        :: next != never -> chosen = 1
        :: else
        fi
    }
    if
    :: chosen != none ->
        atomic {
            if
            :: searching > 0 || asleep == 0 -> chosen = none
            :: else
            fi
        }
    :: else
    fi;
    if
    :: chosen != none ->
        atomic {
            !locked;
            if
            :: timekeeper == none -> chosen = sleepers[0]
            :: else -> chosen = none
            fi
        }
    :: else
    fi;
    if
    :: chosen != none -> unpark(chosen); chosen = none
    :: else
    fi
}
#endif
