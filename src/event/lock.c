/*
 * The machine lock.
 *
 * A plain mutex lets the thread that has just released it take it again before a sleeping waiter has
 * woken up: a vCPU that hammers a device could keep the main loop out for long. So those who find
 * the lock taken form a batch (`urgent` counts it), and whoever arrives while a batch waits parks
 * behind it: the parked become the next batch when the last of this one has been served. Everybody
 * waits for at most the batch before his own. Without contention it costs one load more than a mutex.
 */
#include "event/lock.h"

/* How often a taken lock is looked at again before sleeping: callbacks mostly take under 1 us. */
#define SPINS 60

static struct {
	GMutex mutex;
	GCond turn;      /* a new batch was made of the parked */
	unsigned urgent; /* threads of the batch not served yet; incremented without the mutex */
	unsigned parked; /* threads that wait for the next batch */
	unsigned batch;  /* number of batches so far */
} lock;

static __thread bool held;
static __thread unsigned device_locks; /* of devices, held by this thread */

/* With the mutex: one of the batch has been served. */
static void batch_leave(void)
{
	if (__atomic_sub_fetch(&lock.urgent, 1, __ATOMIC_RELAXED) || !lock.parked)
		return;
	__atomic_add_fetch(&lock.urgent, lock.parked, __ATOMIC_RELAXED);
	lock.parked = 0;
	lock.batch++;
	g_cond_broadcast(&lock.turn);
}

/* With the mutex: lets the batch go first. */
static void batch_park(void)
{
	unsigned batch = lock.batch;

	lock.parked++;
	while (lock.batch == batch)
		g_cond_wait(&lock.turn, &lock.mutex);
	batch_leave();
}

static bool batch_waits(void)
{
	return __atomic_load_n(&lock.urgent, __ATOMIC_RELAXED) != 0;
}

static bool spin(void)
{
	for (unsigned i = 0; i < SPINS && !batch_waits(); i++) {
		if (g_mutex_trylock(&lock.mutex))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

static void lock_contended(void)
{
	if (spin())
		return;
	if (batch_waits()) {
		g_mutex_lock(&lock.mutex);
		if (batch_waits())
			batch_park();
		return;
	}
	__atomic_add_fetch(&lock.urgent, 1, __ATOMIC_RELAXED);
	g_mutex_lock(&lock.mutex);
	batch_leave();
}

void machine_lock(void)
{
	g_assert(!held);
	g_assert(!device_locks);
	if (batch_waits() || !g_mutex_trylock(&lock.mutex))
		lock_contended();
	held = true;
}

void machine_unlock(void)
{
	g_assert(held);
	held = false;
	g_mutex_unlock(&lock.mutex);
}

bool machine_locked(void)
{
	return held;
}

void machine_lock_wait(GCond *cond)
{
	g_assert(held && !device_locks);
	held = false;
	g_cond_wait(cond, &lock.mutex);
	held = true;
}

bool machine_lock_wait_until(GCond *cond, int64_t monotonic_us)
{
	bool signalled;

	g_assert(held && !device_locks);
	held = false;
	signalled = g_cond_wait_until(cond, &lock.mutex, monotonic_us);
	held = true;
	return signalled;
}

void device_lock(GMutex *lock)
{
	g_mutex_lock(lock);
	device_locks++;
}

bool device_trylock(GMutex *lock)
{
	if (!g_mutex_trylock(lock))
		return false;
	device_locks++;
	return true;
}

void device_unlock(GMutex *lock)
{
	g_assert(device_locks);
	device_locks--;
	g_mutex_unlock(lock);
}

bool device_locked(void)
{
	return device_locks;
}
