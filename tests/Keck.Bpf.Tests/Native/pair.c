/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads, pinned to CPU 0 and 1. in: a percentage a line; the first spins 200 ms of its CPU clock, the second that part of
 * every 4 ms; out: "ready TID0 TID1", then "done" each time, both blocked. Ends at EOF.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t begin, end;
static volatile int percent, over;
static pid_t tids[2];

static long long now(clockid_t clock)
{
	struct timespec s;

	clock_gettime(clock, &s);
	return s.tv_sec * 1000000000ll + s.tv_nsec;
}

static void spin(long long ns)
{
	long long until = now(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now(CLOCK_THREAD_CPUTIME_ID) < until && !over) ;
}

static void *work(void *p)
{
	long me = (long)p;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(me, &set);
	if (sched_setaffinity(0, sizeof set, &set)) exit(1);
	tids[me] = gettid();
	pthread_barrier_wait(&end);
	for (;;) {
		pthread_barrier_wait(&begin);
		if (!me) {
			spin(200000000);
			over = 1;
		} else {
			while (!over) {
				struct timespec off = { 0, 4000000ll * (100 - percent) / 100 };

				spin(4000000ll * percent / 100);
				if (percent < 100) nanosleep(&off, NULL);
			}
		}
		pthread_barrier_wait(&end);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[2];
	char line[16];

	pthread_barrier_init(&begin, NULL, 3);
	pthread_barrier_init(&end, NULL, 3);
	for (long i = 0; i < 2; i++) if (pthread_create(&threads[i], NULL, work, (void *)i)) return 1;
	pthread_barrier_wait(&end);
	printf("ready %d %d\n", tids[0], tids[1]);
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		percent = atoi(line);
		over = 0;
		pthread_barrier_wait(&begin);
		pthread_barrier_wait(&end);
		puts("done");
		fflush(stdout);
	}
	return 0;
}
