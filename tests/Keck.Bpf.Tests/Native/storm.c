/* SPDX-License-Identifier: Apache-2.0 */
/* Short-lived processes. usage: storm COUNT; runs at most 8 at a time; out: "done SUM", their CPU time as wait4 knows it, ns is beyond it: microseconds. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = atoi(argv[1]), running = 0;
	long long microseconds = 0;
	struct rusage usage;

	(void)argc;
	for (int i = 0; i < count || running; ) {
		if (i < count && running < 8) {
			pid_t child = fork();

			if (child < 0) return 1;
			if (!child) {
				volatile double x = 1;

				prctl(PR_SET_NAME, "keck-storm");
				for (int k = 0; k < 20000 + i % 7 * 5000; k++) x = x * 1.0000001 + .1;
				_exit(0);
			}
			i++;
			running++;
		} else if (wait4(-1, NULL, 0, &usage) > 0) {
			running--;
			microseconds += usage.ru_utime.tv_sec * 1000000ll + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000ll + usage.ru_stime.tv_usec;
		}
	}
	printf("done %lld\n", microseconds);
	return 0;
}
