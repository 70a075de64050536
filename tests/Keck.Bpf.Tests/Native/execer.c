/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread other than the leader execs this program again and so takes the leader's tid. Out: "before PID TID NANOSECONDS" of the
 * thread just before the exec, "after PID TID NANOSECONDS", then it waits for stdin to close.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void say(const char *when)
{
	struct timespec s;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &s);
	printf("%s %d %d %lld\n", when, getpid(), (int)syscall(SYS_gettid), s.tv_sec * 1000000000ll + s.tv_nsec);
	fflush(stdout);
}

static void spin(void)
{
	struct timespec s;

	do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &s); while (s.tv_sec == 0 && s.tv_nsec < 30000000);
}

static void *run(void *path)
{
	spin();
	say("before");
	execl(path, "execer-two", "second", (char *)0);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char c;

	if (argc > 1) {
		say("after");
		while (read(0, &c, 1) > 0) ;
		return 0;
	}
	if (pthread_create(&thread, 0, run, argv[0])) return 1;
	pause();
	return 0;
}
