/* What a worker does with items: takes them, collects those that timers and completions made ready, and runs them. Of
 * worker.cpp, pool_core.cpp, timer_set.cpp, io_service.cpp and end_latch. */

/* pool_core::has_visible_work(); the answer is `seen`. */
inline has_visible_work() {
    do
    :: atomic { nempty(queue[at]) -> seen = 1; at = 0; break }
    :: atomic {
            empty(queue[at]) ->
            at++;
            if
            :: at == visible_queues -> at = 0; break
            :: else
            fi
        }
    od
}

#ifdef BROADCAST

/* worker::has_share() of this worker; the answer is `seen`. */
inline see_share(me) {
    atomic {
        if
        :: nempty(share[me]) -> seen = 1
        :: empty(share[me])
        fi
    }
}

/* pool_core::has_share(): of any worker. */
inline see_all_shares() {
    at = 1;
    do
    :: atomic { nempty(share[at]) -> seen = 1; at = 0; break }
    :: atomic {
            empty(share[at]) ->
            at++;
            if
            :: at > WORKERS -> at = 0; break
            :: else
            fi
        }
    od
}

/* worker::take_share() */
inline take_share(me) {
    atomic {
        if
        :: nempty(share[me]) ->
            if
            :: (unlinked & bit_of(share_item(me))) == 0 -> share[me]?item
            :: else
            fi
        :: empty(share[me])
        fi
    }
}

#else
#define see_share(me) skip
#define see_all_shares() skip
#define take_share(me) skip
#endif

/* ---- taking items ---- */

/* ready_queue::pop(), work_deque::pop() and steal(): the item, or none. */
inline take(from) {
    atomic {
        if
        :: nempty(queue[from]) -> queue[from]?item
        :: empty(queue[from])
        fi
    }
}

#if LEVEL
/* priority_level::take(): what has yet to be linked cannot be taken. */
inline take_level() {
    atomic {
        if
        :: nempty(queue[level]) ->
            queue[level]?<item>;
            if
            :: (unlinked & (1 << item)) == 0 -> queue[level]?item
            :: else -> item = none
            fi
        :: empty(queue[level])
        fi
    }
}
#endif

inline take_own(me) {
#if LEVEL
    if
    :: take_level()                    /* take_by_priority(): whether it is the level's turn is left open */
    :: skip
    fi;
    if
    :: item == none -> take(own(me))
    :: else
    fi;
#else
    take(own(me));
#endif
#if OWN > 1
    if
    :: item == none -> take(own(me) + 1)
    :: else
    fi
#endif
}

/* What the worker holds in its hands is invisible. */
inline admit_injected(me) {
    atomic {
        if
        :: nempty(queue[injector]) ->
            queue[injector]?<first>;
            if
            :: (unlinked & (1 << first)) == 0 ->
                queue[injector]?first;
                if
                :: nempty(queue[injector]) ->
                    queue[injector]?<second>;
                    if
                    :: (unlinked & (1 << second)) == 0 -> queue[injector]?second
                    :: else -> second = none
                    fi
                :: true
                fi
            :: else -> first = none
            fi
        :: empty(queue[injector])
        fi
    }
    do
    :: first != none -> atomic { queue[own(me)]!first; first = second; second = none }
    :: first == none -> break
    od
}

/* steal(), and take_ready() and work_deque::pop() before it. */
#define workers_queues (1 + WORKERS * OWN)
inline take_anywhere() {
    at = 1;
    do
    :: atomic { nempty(queue[at]) -> queue[at]?item; at = 0; break }
    :: atomic {
            empty(queue[at]) ->
            at++;
            if
            :: at == workers_queues -> at = 0; break
            :: else
            fi
        }
    od;
#if LEVEL
    if
    :: item == none -> take_level()
    :: else
    fi
#endif
}

/* ---- timers ---- */

#ifdef TIMERS

/* pool_core::arm() */
inline arm(time) {
    atomic {                           /* timer_set::arm() */
        !timers_locked;
        if
        :: closed -> ran = ran | bit_of(timer_item(time))   /* refused: the coroutine goes on at once, as stopped */
        :: else ->
            armed[time] = 1;
            if
#ifdef FAULT_deadline_is_published_late
            :: time < next -> timers_locked = 1; seen = 1
#else
            :: time < next -> next = time; seen = 1
#endif
            :: else
            fi
        fi
    }
    if
    :: seen ->
        seen = 0;
#ifndef FAULT_deadline_is_not_told
        notify_deadline()
#endif
#ifdef FAULT_deadline_is_published_late
        atomic { next = time; timers_locked = 0 }
#endif
    :: else
    fi
}

/* timer_set::expire() */
inline expire(me) {
    if
    :: next > now
    :: atomic { next <= now && !timers_locked -> timers_locked = 1 }
        do
        :: atomic { armed[1] && now >= 1 -> armed[1] = 0; queue[own(me)]!timer_item(1) }
        :: atomic { !armed[1] && armed[2] && now >= 2 -> armed[2] = 0; queue[own(me)]!timer_item(2) }
        :: atomic {
                else ->
                if
                :: armed[1] -> next = 1
                :: !armed[1] && armed[2] -> next = 2
                :: else -> next = never
                fi;
                timers_locked = 0;
                break
            }
        od
    fi
}

#else
#define expire(me) skip
#endif

/* ---- completions of a worker's own ring ---- */

#ifdef RING

/* parker::poll(): io_service::finish() on the worker. */
inline poll(me) {
    do
    :: atomic { me == ring_owner && nempty(ring) -> ring?first; queue[own(me)]!first; first = none }   /* hand_back() */
        operations--;
        if
        :: draining -> wake_all()      /* nudge() */
        :: !draining
        fi
    :: me != ring_owner || empty(ring) -> break
    od
}

#else
#define poll(me) skip
#endif

/* worker::collect(): what became ready is the worker's own, and not told one by one. */
inline collect(me) {
#if defined(TIMERS) || defined(RING)
    poll(me);
    expire(me);
#ifndef FAULT_what_was_collected_is_not_told
    if
    :: len(queue[own(me)]) > 1 -> notify_one()
    :: len(queue[own(me)]) <= 1
    fi
#endif
#else
    skip
#endif
}

/* ---- running an item ---- */

/* end_latch::end() of the awaited child. A thread that is no worker of the waiter's pool visits that while it wakes it;
 * a worker's own pool cannot go before the worker has announced sleep. */
inline end_awaited(is_foreign) {
    atomic {
        if
        :: waiter == none -> waiter = is_ended
        :: else -> chosen = waiter
        fi
    }
    if
    :: chosen != none ->
        if
        :: is_foreign -> VISIT
        :: !is_foreign
        fi;
        waiter = is_ended;
#ifndef FAULT_awaited_end_is_not_told
        unpark(chosen);
#endif
        chosen = none;
        if
        :: is_foreign -> LEAVE
        :: !is_foreign
        fi
    :: else
    fi
}

inline execute(me) {
    atomic {
        assert(!in(ran, item));
        assert(!terminated);
        ran = ran | bit_of(item)
    }
#if SPAWN
    if
    :: in(SPAWN, item) -> queue[own(me) + OWN - 1]!child_of(item); notify_one()   /* pool_core::submit_task() */
    :: else
    fi;
#endif
#if ARM_LATE
    if
    :: in(ARM_LATE, item) -> arm(2)
    :: else
    fi;
#endif
#if ARM_EARLY
    if
    :: in(ARM_EARLY, item) -> arm(1)
    :: else
    fi;
#endif
    if
    :: in(LONG, item) -> (ran | LONG) == all_items
    :: else
    fi;
#if WAIT
    if
    :: in(WAIT, item) ->               /* end_latch::wait() */
        if
        :: atomic { waiter == is_ended -> goto task_ended }
#ifdef FAULT_nested_wait_is_not_counted
        :: waiter != is_ended
#else
        :: waiter != is_ended -> nested_waits++
#endif
        fi;
        atomic {                       /* try_wait() */
            if
            :: waiter == none -> waiter = me; nested = 1; item = none
            :: else
            fi
        }
        if
        :: nested -> goto work         /* work_until() */
        :: else
        fi;
wait_ended:
        assert(!terminated);
        nested = 0;
#ifndef FAULT_nested_wait_is_not_counted
        nested_waits--
#endif
    :: in(WAIT << 4, item) -> end_awaited(false)
    :: else
    fi;
task_ended:
#endif
    item = none
}
