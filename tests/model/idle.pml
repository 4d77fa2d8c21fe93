/* How the workers of a pool fall asleep, are woken, and end: the protocol of src/pool/idle.md, for the model checker spin.
 *
 * tools/check_models.py runs it. Each of its configurations must be free of errors in every interleaving, and each planted
 * fault (FAULT_...: one step of the protocol left out or misplaced) must be found.
 *
 * How it stands for the code. One statement, or one `atomic` or `d_step` block, is one atomic operation of the code together
 * with what the thread does to its own variables. Each is named after its function. As all of these operations are
 * sequentially consistent, interleavings are all there is. A section under a mutex that has only one operation which others
 * can see without the mutex is one block: nobody could tell. A longer one holds `locked`, and others see what lies between.
 *
 * What is simpler than the code:
 * - A queue is a channel: push, "take unless empty" and "is it empty" are one step each, as the ready queue [R1] and the
 *   deque [D1] are linearizable. A push to the injector is two steps [J1]: it is not empty, then its item can be taken. The order in a queue does not matter here. A worker has OWN
 *   queues, which play the same part.
 * - A search is one round, and looks at all workers' queues in the order of their index.
 * - How many items a worker moves from the injector (one or two), and whether it does so before it runs an item of its
 *   own (IN_TURN), is left open: every choice is explored. A busy worker looks at the timers when its queues are empty.
 * - Time is a clock that shows 0, 1, 2. Returns of the futex without a cause are rationed (SPURIOUS), as they hide lost
 *   wake-ups.
 * - Where three workers are too many states, the parker is one bit (SMALL_PARKER); two workers have the real one.
 * - There are few workers and items. What an item does follows from its number and the configuration.
 *
 * What is shown, besides the assertions:
 * - Nothing is lost, and all comes to its end. init waits until every item has run, and until the pool is destroyed where
 *   that is to happen. Parked is the only state in which a process may stay for ever. So a lost wake-up, a lost item and a
 *   deadlock are "invalid end states". LONG items stay busy until all others have run: no sleeper is excused because another
 *   worker would have come to the item at last.
 * - Nobody goes round for ever without running an item, if every process that can take a step takes one at last: there are
 *   no "non-progress cycles". This is shown for a few small configurations (LIVE).
 */

/* ---- configuration ---- */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef OWN
#define OWN 1       /* queues of each worker */
#endif
#ifndef POSTERS
#define POSTERS 1   /* threads outside the pool */
#endif
#ifndef POSTS
#define POSTS 1     /* items that each of them posts: numbered from 1, poster by poster */
#endif
#ifndef SPURIOUS
#define SPURIOUS 0
#endif
/* Sets of items: item i is bit i. */
#ifndef LONG
#define LONG 0      /* stay busy until all others have run */
#endif
#ifndef SPAWN
#define SPAWN 0     /* push child_of(i) into the worker's own queue */
#endif
#ifndef WAIT
#define WAIT 0      /* one item at most: waits inside its task for the child, and works meanwhile */
#endif
#ifndef LEVEL
#define LEVEL 0     /* are posted to the queue of a priority, from which workers take one by one */
#endif
#ifndef ARM_EARLY
#define ARM_EARLY 0 /* arm the timer of time 1 */
#endif
#ifndef ARM_LATE
#define ARM_LATE 0  /* arm the timer of time 2 */
#endif
/* IN_TURN, SMALL_PARKER: see above.
 * ASLEEP: at first all workers are parked, which leaves more states for what comes later.
 * DRAIN: the pool is destroyed.
 * IO: an operation ends on a helper thread.
 * RING: two operations end in the ring in which worker 1 parks.
 * REMOTE: the awaited child runs in another pool.
 * FROZEN: time stands still.
 * BROADCAST: a thread outside gives every worker a share, which only that one may run. */

#define none 0
#define never 3     /* a time that the clock does not reach */
#define bit_of(i) (1 << (i))
#define in(set, i) (((set) >> (i)) & 1)
#define child_of(i) ((i) + 4)
#define timer_item(time) ((time) + 8)
#define io_item 11
#define posted_items (bit_of(POSTERS * POSTS + 1) - 2)

#if ARM_EARLY || ARM_LATE
#define TIMERS
#endif
#ifdef RING
#define operations_begun 2
#elif defined(IO)
#define operations_begun 1
#else
#define operations_begun 0
#endif
#define timer_items (((ARM_EARLY != 0) << timer_item(1)) | ((ARM_LATE != 0) << timer_item(2)))
#define io_items ((bit_of(operations_begun) - 1) << io_item)
#ifdef BROADCAST
#define share_item(w) ((w) + 12)
#define shares ((bit_of(WORKERS) - 1) << 13)
#define broadcasters 1
#else
#define shares 0
#define broadcasters 0
#endif
#define all_items (posted_items | (SPAWN << 4) | timer_items | io_items | shares)

/* ---- shared state ---- */

/* Queue 0 is the injector; worker w (from 1) has those from own(w) on; the last is that of a priority. Big enough never to
 * be full. */
#define injector 0
#define own(w) (1 + ((w) - 1) * OWN)
#if LEVEL
#define level (1 + WORKERS * OWN)
#define queues (2 + WORKERS * OWN)
#define queue_for(i) (in(LEVEL, i) -> level : injector)
#else
#define queues (1 + WORKERS * OWN)
#define queue_for(i) injector
#endif
#ifdef FAULT_levels_are_not_looked_at
#define visible_queues (queues - 1)
#else
#define visible_queues queues
#endif
chan queue[queues] = [4] of { byte };
#ifdef BROADCAST
chan share[WORKERS + 1] = [1] of { byte };   /* worker::shares_, of worker w */
#endif

/* idle_set. The halves of counts_, which are always read and written together, in one step. As the lower half changes only
 * under the mutex, with the list, `asleep` is also sleepers_.size(). */
byte searching, asleep;
bit locked;                       /* mutex_ */
byte sleepers[WORKERS];           /* sleepers_: the first `asleep` */
byte timekeeper;                  /* timekeeper_ */

/* futex_parker */
#define unparked 0                /* the state `empty` */
#define parked 1
#define notified 2
byte state[WORKERS + 1];          /* state_ */
bit in_futex[WORKERS + 1];        /* the kernel's list of those that wait */

#ifdef RING
chan ring = [2] of { byte };      /* completions */
#define ring_owner 1
#endif

/* timer_set */
#ifdef TIMERS
byte now, next = never;           /* the clock; next_, which can be read without the lock */
bit armed[3], closed, timers_locked;
#endif

/* pool_core */
bit draining, timers_closed, terminated, destroyed;
byte visitors, nested_waits, ended;
int unlinked;                       /* items in the injector and the shares that cannot be taken yet */
byte operations = operations_begun;

/* end_latch::waiter_ of the child that is awaited: none, the worker that waits, or is_ended */
#define is_ended 255
byte waiter;

/* What has happened. */
int ran;                            /* set of items */
byte posters_done;
byte spurious = SPURIOUS;

/* pool_core::visit: holds the pool until nothing of it is used any more. */
#if defined(DRAIN) && !defined(FAULT_visitors_are_not_counted)
#define VISIT visitors++
#define LEAVE atomic { assert(!destroyed); visitors-- }
#else
#define VISIT skip
#define LEAVE assert(!destroyed)
#endif

hidden byte place;                /* lives within one step */

#include "idle_set.pml"
#include "items.pml"
#include "worker.pml"
#include "outside.pml"
