/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of mixed kinds whose own CPU clocks are read while they are blocked.
 * usage: threads COUNT MILLISECONDS
 * out: "ready PID", then for each line "read" on stdin: a line "TID NANOSECONDS" per thread and "end".
 * "go" on stdin lets the threads work for MILLISECONDS and answers "done" when all are blocked again. EOF ends.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct thread { pthread_t id; int tid, kind, to[2], back[2]; sem_t go; };
static volatile int stop;
static sem_t blocked;

static void spin(int turns) { volatile double x = 1; for (int i = 0; i < turns; i++) x = x * 1.0000001 + .1; }
static void nap(long us) { struct timespec t = { 0, us * 1000 }; nanosleep(&t, NULL); }

static void *short_lived(void *nothing) { spin(5000); return nothing; }

static void work(struct thread *t)
{
	unsigned seed = t->tid;
	char c = 0;
	pthread_t child;

	while (!stop)
		switch (t->kind) {
		case 0: spin(200000); break;					/* hog */
		case 1: spin(2000 + rand_r(&seed) % 20000); nap(rand_r(&seed) % 3000); break;	/* on and off */
		case 2: if (write(t->to[1], &c, 1) != 1 || read(t->back[0], &c, 1) != 1) return; break;	/* ping */
		case 3: if (read(t->to[0], &c, 1) != 1 || write(t->back[1], &c, 1) != 1) return; break;	/* pong */
		case 4: spin(500); sched_yield(); break;			/* yielder */
		case 5: nap(1000); break;					/* sleeper */
		case 6: if (!pthread_create(&child, NULL, short_lived, NULL)) pthread_join(child, NULL); nap(20000); break;	/* parent of short-lived */
		}
}

static void *run(void *p)
{
	struct thread *t = p;

	t->tid = syscall(SYS_gettid);
	for (;;) {
		sem_post(&blocked);
		while (sem_wait(&t->go)) ;
		work(t);
	}
	return NULL;
}

static long long clock_of(pthread_t id)
{
	clockid_t c;
	struct timespec s;

	if (pthread_getcpuclockid(id, &c) || clock_gettime(c, &s)) return -1;
	return s.tv_sec * 1000000000ll + s.tv_nsec;
}

/* Off its CPU. The state says S before that (a thread preempted there shows it too); /proc/TID/syscall waits for the switch, and says "running" if none comes. */
static int asleep(int tid)
{
	char path[64], line[256];
	FILE *f;
	int is = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	f = fopen(path, "r");
	if (!f) return 0;
	if (fgets(line, sizeof line, f)) is = line[0] != 'r';
	fclose(f);
	return is;
}

static void settle(struct thread *threads, int count)
{
	for (int i = 0; i < count; i++) sem_wait(&blocked);
	for (int i = 0; i < count; i++) while (!asleep(threads[i].tid)) nap(500);
}

int main(int argc, char **argv)
{
	int count = atoi(argv[1]);
	long milliseconds = atol(argv[2]);
	struct thread *threads = calloc(count, sizeof *threads);
	char line[16];
	pthread_attr_t attributes;

	(void)argc;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	sem_init(&blocked, 0, 0);
	for (int i = 0; i < count; i++) {
		struct thread *t = &threads[i];

		t->kind = i % 7;
		sem_init(&t->go, 0, 0);
		if (t->kind == 3) { memcpy(t->to, t[-1].to, sizeof t->to); memcpy(t->back, t[-1].back, sizeof t->back); }
		else if (t->kind == 2 && (pipe(t->to) || pipe(t->back))) return 1;
		if (pthread_create(&t->id, &attributes, run, t)) return 1;
	}
	settle(threads, count);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		if (!strncmp(line, "read", 4)) {
			for (int i = 0; i < count; i++) printf("%d %lld\n", threads[i].tid, clock_of(threads[i].id));
			puts("end");
		} else if (!strncmp(line, "go", 2)) {
			stop = 0;
			for (int i = 0; i < count; i++) sem_post(&threads[i].go);
			nap(milliseconds % 1000 * 1000);
			if (milliseconds >= 1000) sleep(milliseconds / 1000);
			stop = 1;
			/* A ping or pong may wait for a partner that has left: one byte in each pipe lets it go. */
			for (int i = 0; i < count; i++)
				if (threads[i].kind == 2 && (write(threads[i].to[1], "", 1) != 1 || write(threads[i].back[1], "", 1) != 1)) return 1;
			settle(threads, count);
			puts("done");
		}
		fflush(stdout);
	}
	return 0;
}
