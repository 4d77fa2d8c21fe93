/* Threads outside the pool: those that post, a helper thread of the input and output, and the owner, who destroys it. */

/* pool_core::inject(), on a thread that is not a worker: visible first, then ReadCounts, and only then to be taken. */
inline submit(what) {
#ifdef FAULT_linked_before_the_look
    atomic { assert(!destroyed); queue[queue_for(what)]!what }
#else
    atomic { assert(!destroyed); queue[queue_for(what)]!what; unlinked = unlinked | (1 << what) }  /* PushItem */
#endif
    atomic {
        assert(!destroyed);
        wake = (searching == 0 && asleep > 0);
        if
        :: wake -> VISIT
        :: !wake
        fi
    }
    unlinked = unlinked & ~(1 << what);
    if
    :: wake ->
        notify_one();
        LEAVE
    :: !wake
    fi
}

proctype poster(byte item; byte end) {
    byte chosen;
    bit was, wake;
    do
    :: item < end -> submit(item); item++
    :: else -> break
    od;
    posters_done++
}

#ifdef BROADCAST
/* pool_core::submit_shares(), on a thread that is not a worker. */
proctype broadcaster() {
    byte at, left;
    bit was;
#ifndef FAULT_broadcast_is_no_visit
    VISIT;
#endif
    at = 1;
    do
    :: at <= WORKERS ->
        atomic {
            assert(!destroyed);
            share[at]!share_item(at);                                      /* PushItem */
            unlinked = unlinked | bit_of(share_item(at))
        }
        atomic { unlinked = unlinked & ~bit_of(share_item(at)); at++ }
    :: else -> break
    od;
#ifndef FAULT_broadcast_is_not_told
    wake_all();
#endif
#ifndef FAULT_broadcast_is_no_visit
    LEAVE;
#endif
    posters_done++
}
#endif

#ifdef IO
/* io_service::finish() of an operation that nobody else holds. */
proctype helper() {
    byte chosen, left;
    bit was;
    VISIT;
#ifdef FAULT_operation_ends_early
    operations--;
#endif
    queue[injector]!io_item;           /* hand_back() */
    notify_one();
#ifndef FAULT_operation_ends_early
    operations--;
#endif
#ifndef FAULT_quiet_is_not_told
    if
    :: draining -> wake_all()          /* nudge() */
    :: !draining
    fi;
#endif
    LEAVE
}
#endif

#ifdef RING
/* Both at once: only its owner reaps a ring, so one that came while the other's item runs would have to wait. */
proctype kernel() {
    atomic { ring!io_item; ring!(io_item + 1) }
}
#endif

#ifdef REMOTE
/* A worker of another pool: runs the child. */
proctype remote() {
    byte chosen;
    bit was;
    (ran & WAIT) != 0;
#ifdef FAULT_awaited_end_is_no_visit
    end_awaited(false)
#else
    end_awaited(true)
#endif
}
#endif

#if defined(TIMERS) && !defined(FROZEN)
proctype clock() {
    now = 1;
#if ARM_LATE
    now = 2
#endif
}
#endif

#ifdef DRAIN
inline destroy_pool() {
    /* The owner knows that all is posted: the posters have returned, or their items have run. */
    posters_done == POSTERS + broadcasters || (ran & (posted_items | shares)) == (posted_items | shares);
    draining = 1;
#ifdef TIMERS
    atomic { !timers_locked; timers_locked = 1; closed = 1 }               /* timer_set::close() */
    at = 1;
    do
    :: at <= 2 && armed[at] -> submit(timer_item(at)); armed[at] = 0; at++
    :: at <= 2 && !armed[at] -> at++
    :: else -> break
    od;
    atomic { next = never; timers_locked = 0 }
#endif
    timers_closed = 1;
#ifndef FAULT_draining_is_not_told
    wake_all();
#endif
    ended == WORKERS;                  /* shut_down() */
    visitors == 0;
    destroyed = 1
}
#else
#define destroy_pool() skip
#endif

init {
    byte at, chosen, left;
    bit was, wake;
    atomic {
        at = 1;
        do
        :: at <= WORKERS ->
#ifdef ASLEEP
            sleepers[asleep] = at;
            asleep++;
#ifndef SMALL_PARKER
            state[at] = parked;
            in_futex[at] = 1;
#endif
#endif
            run worker(at);
            at++
        :: else -> break
        od;
        at = 0;
        do
        :: at < POSTERS -> run poster(at * POSTS + 1, (at + 1) * POSTS + 1); at++
        :: else -> break
        od;
        at = 0;
#ifdef IO
        run helper();
#endif
#ifdef BROADCAST
        run broadcaster();
#endif
#ifdef RING
        run kernel();
#endif
#ifdef REMOTE
        run remote();
#endif
#if defined(TIMERS) && !defined(FROZEN)
        run clock();
#endif
        skip
    }
    destroy_pool();
    ran == all_items && nested_waits == 0
}
