/* A made-up hypervisor for bench/channels.sh: two threads named as QEMU names its vCPUs, each awake twice a second for some
 * 50 us; ends with its parent. Its command line, which the agent reads, is whatever it was started with. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static void *vcpu(void *number)
{
	struct timespec pause = { .tv_nsec = 500 * 1000 * 1000 }, begin, now;
	char name[16];

	snprintf(name, sizeof name, "CPU %ld/KVM", (long)number);
	pthread_setname_np(pthread_self(), name);
	for (;;) {
		nanosleep(&pause, NULL);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
		do
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		while ((now.tv_sec - begin.tv_sec) * 1000000000L + now.tv_nsec - begin.tv_nsec < 50 * 1000);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (long i = 0; i < 2; i++)
		if (pthread_create(&thread, NULL, vcpu, (void *)i))
			return 1;
	pause();
	return 0;
}
