// SPDX-License-Identifier: Apache-2.0
// Which functions of a running program are entered: a breakpoint at each, taken away at its first hit.
// usage: code-order PID SECONDS < addresses (hex, one a line) > the addresses that were entered. x86-64.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 18 };

struct point { unsigned long at; unsigned char byte; bool entered; };
static struct point points[MOST];

static int by_address(const void *a, const void *b)
{
	unsigned long x = ((const struct point *)a)->at, y = ((const struct point *)b)->at;

	return (x > y) - (x < y);
}

static void on_each_thread(int pid, void (*act)(int tid))
{
	char path[64];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		if (atoi(entry->d_name) > 0)
			act(atoi(entry->d_name));
	if (tasks)
		closedir(tasks);
}

static void stop(int tid)
{
	if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) == 0 && ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0)
		waitpid(tid, NULL, __WALL);
}

static void resume(int tid)
{
	ptrace(PTRACE_CONT, tid, 0, 0);
}

// A thread that met a breakpoint goes on at the function's first instruction; any other signal is its own.
static int meet(int memory, size_t count, int tid, int signal)
{
	struct user_regs_struct registers;
	struct point key, *point;

	if (signal != SIGTRAP || ptrace(PTRACE_GETREGS, tid, 0, &registers))
		return signal;
	key.at = registers.rip - 1;
	point = bsearch(&key, points, count, sizeof(key), by_address);
	if (!point)
		return signal;
	if (!point->entered && pwrite(memory, &point->byte, 1, (off_t)point->at) == 1)
		point->entered = true;
	registers.rip--;
	ptrace(PTRACE_SETREGS, tid, 0, &registers);
	return 0;
}

int main(int argc, char **argv)
{
	int pid = argc == 3 ? atoi(argv[1]) : 0, memory, tid, status;
	const unsigned char trap = 0xcc;
	size_t count = 0;
	char path[64];
	time_t end;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	memory = open(path, O_RDWR);
	if (pid <= 0 || memory < 0) {
		fprintf(stderr, "usage: code-order PID SECONDS < addresses\n");
		return 2;
	}
	while (count < MOST && scanf("%lx", &points[count].at) == 1)
		count++;
	qsort(points, count, sizeof(*points), by_address);
	on_each_thread(pid, stop);
	for (size_t i = 0; i < count; i++)
		if (pread(memory, &points[i].byte, 1, (off_t)points[i].at) != 1 || pwrite(memory, &trap, 1, (off_t)points[i].at) != 1)
			perror("code-order: a breakpoint");
	on_each_thread(pid, resume);
	for (end = time(NULL) + atoi(argv[2]); time(NULL) < end;) {
		tid = waitpid(-1, &status, __WALL | WNOHANG);
		if (tid < 0)
			break;
		if (tid == 0)
			usleep(200);
		else if (WIFSTOPPED(status))
			ptrace(PTRACE_CONT, tid, 0, status >> 16 ? 0 : meet(memory, count, tid, WSTOPSIG(status)));
	}
	for (size_t i = 0; i < count; i++)
		if (points[i].entered)
			printf("%lx\n", points[i].at);
	kill(pid, SIGKILL); // Its code is full of breakpoints.
	return 0;
}
