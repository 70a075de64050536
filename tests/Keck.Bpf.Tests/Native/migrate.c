/* SPDX-License-Identifier: Apache-2.0 */
/* One thread that spins 20 ms on CPU 0 and then on CPU 1. usage: migrate; a line on stdin lets it go; out: "pid PID", "done NANOSECONDS" (its CPU clock). Waits for EOF. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
	struct timespec s;

	clock_gettime(clock, &s);
	return s.tv_sec * 1000000000ll + s.tv_nsec;
}

int main(void)
{
	char c;

	prctl(PR_SET_NAME, "keck-migrate");
	printf("pid %d\n", getpid());
	fflush(stdout);
	if (read(0, &c, 1) != 1) return 1;
	for (int cpu = 0; cpu < 2; cpu++) {
		cpu_set_t set;
		long long until = now(CLOCK_THREAD_CPUTIME_ID) + 20000000;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof set, &set)) return 1;
		while (now(CLOCK_THREAD_CPUTIME_ID) < until) ;
	}
	printf("done %lld\n", now(CLOCK_THREAD_CPUTIME_ID));
	fflush(stdout);
	while (read(0, &c, 1) > 0) ;
	return 0;
}
