/*
 * The worker pool: one queue, and threads that come and go.
 */
#include "event/thread.h"
#include "event/worker.h"
#include "internal.h"

#define THREADS_MAX 64
#define IDLE_US     (10 * G_USEC_PER_SEC)

struct job {
	struct bottom_half done_bh;
	struct job *next;
	int (*work)(void *opaque);
	void (*done)(void *opaque, int result);
	void *opaque;
	int result;
};

static struct {
	GMutex lock;
	GCond work;    /* something was queued */
	GCond drained; /* nothing is queued or running any more */
	struct job *first;
	struct job *last;
	unsigned queued;
	unsigned running;
	unsigned threads;
	unsigned idle; /* of them, waiting for work */
} pool;

static void job_done(void *opaque)
{
	struct job *job = opaque;

	job->done(job->opaque, job->result);
}

static void job_release(struct bottom_half *bh)
{
	g_free(container_of(bh, struct job, done_bh));
}

/* The functions below are called, and return, with the lock held. */

static void queue_append(struct job *job)
{
	if (pool.first)
		pool.last->next = job;
	else
		pool.first = job;
	pool.last = job;
	pool.queued++;
}

static struct job *queue_take(void)
{
	struct job *job = pool.first;

	pool.first = job->next;
	pool.queued--;
	return job;
}

static void run_next(void)
{
	struct job *job = queue_take();

	pool.running++;
	g_mutex_unlock(&pool.lock);
	job->result = job->work(job->opaque);
	if (job->done)
		bh_schedule_last(&job->done_bh);
	else
		g_free(job);
	g_mutex_lock(&pool.lock);
	pool.running--;
	if (!pool.running && !pool.queued)
		g_cond_broadcast(&pool.drained);
}

/* False when there was no work for long. */
static bool wait_for_work(void)
{
	gint64 until = g_get_monotonic_time() + IDLE_US;
	bool in_time = true;

	pool.idle++;
	while (!pool.queued && in_time)
		in_time = g_cond_wait_until(&pool.work, &pool.lock, until);
	pool.idle--;
	return pool.queued;
}

static gpointer worker_thread(gpointer unused)
{
	g_mutex_lock(&pool.lock);
	while (wait_for_work())
		run_next();
	pool.threads--;
	g_mutex_unlock(&pool.lock);
	return NULL;
}

/* Sees to it that somebody does what is queued: the caller himself if no thread can be had. */
static void find_worker(void)
{
	GThread *thread;

	if (pool.queued <= pool.idle) {
		g_cond_signal(&pool.work);
		return;
	}
	if (pool.threads == THREADS_MAX)
		return;
	thread = thread_start("worker", worker_thread, NULL, NULL);
	if (thread) {
		g_thread_unref(thread);
		pool.threads++;
	} else if (!pool.threads) {
		run_next();
	}
}

void worker_submit(struct loop *loop, int (*work)(void *opaque),
		   void (*done)(void *opaque, int result), void *opaque)
{
	struct job *job = g_new0(struct job, 1);

	bh_init(&job->done_bh, loop, job_done, job, job_release);
	job->work = work;
	job->done = done;
	job->opaque = opaque;
	g_mutex_lock(&pool.lock);
	queue_append(job);
	find_worker();
	g_mutex_unlock(&pool.lock);
}

void worker_drain(void)
{
	g_mutex_lock(&pool.lock);
	while (pool.running || pool.queued)
		g_cond_wait(&pool.drained, &pool.lock);
	g_mutex_unlock(&pool.lock);
}
