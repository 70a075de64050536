// SPDX-License-Identifier: Apache-2.0
/*
 * Cost of one context switch: the accounting, a hash design and an empty program, each alone on the same load, in turns.
 * usage: bench accounting.bpf.o hash.bpf.o ; prints markdown. run_time_ns/run_cnt as the kernel keeps them (bpf_enable_stats).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/futex.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "records.h"

#define SLOTS 32768
#define PIDS 131072
#ifndef ROUNDS
#define ROUNDS 7
#endif
#define MILLISECONDS 400

static volatile int stop;
static unsigned *tokens;
struct ring { pthread_t id; int me, next; };

static void futex(unsigned *at, int operation, unsigned value)
{
	syscall(SYS_futex, at, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* Threads of one CPU hand a token around: each hand-over is one switch. */
static void *pass(void *p)
{
	struct ring *r = p;

	for (;;) {
		unsigned *mine = &tokens[r->me * 16], *other = &tokens[r->next * 16];

		while (!__atomic_load_n(mine, __ATOMIC_ACQUIRE)) futex(mine, FUTEX_WAIT, 0);
		__atomic_store_n(mine, 0, __ATOMIC_RELAXED);
		__atomic_store_n(other, 1, __ATOMIC_RELEASE);
		futex(other, FUTEX_WAKE, 1);
		if (stop) return NULL;
	}
}

static void turn(int threads)
{
	struct ring *rings = calloc(threads, sizeof *rings);
	pthread_attr_t attributes;
	cpu_set_t set;

	stop = 0;
	tokens = calloc(threads, 64);
	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 65536);
	pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
	for (int i = 0; i < threads; i++) {
		rings[i].me = i;
		rings[i].next = (i + 1) % threads;
		if (pthread_create(&rings[i].id, &attributes, pass, &rings[i])) exit(1);
	}
	tokens[0] = 1;
	futex(&tokens[0], FUTEX_WAKE, 1);
	usleep(MILLISECONDS * 1000);
	stop = 1;
	for (int i = 0; i < threads; i++) {
		__atomic_store_n(&tokens[i * 16], 1, __ATOMIC_RELEASE);
		futex(&tokens[i * 16], FUTEX_WAKE, 1);
	}
	for (int i = 0; i < threads; i++) {
		__atomic_store_n(&tokens[i * 16], 1, __ATOMIC_RELEASE);
		futex(&tokens[i * 16], FUTEX_WAKE, 1);
		pthread_join(rings[i].id, NULL);
	}
	free(rings);
	free(tokens);
}

static double cost(int fd, int threads)
{
	struct bpf_prog_info before = {}, after = {};
	__u32 length = sizeof before;

	bpf_obj_get_info_by_fd(fd, &before, &length);
	turn(threads);
	length = sizeof after;
	bpf_obj_get_info_by_fd(fd, &after, &length);
	return (double)(after.run_time_ns - before.run_time_ns) / (double)(after.run_cnt - before.run_cnt);
}

static void resize(struct bpf_object *o, const char *map, unsigned entries)
{
	bpf_map__set_max_entries(bpf_object__find_map_by_name(o, map), entries);
}

static void *shared(struct bpf_object *o, const char *map, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_object__find_map_fd_by_name(o, map), 0);

	if (p == MAP_FAILED) { perror(map); exit(1); }
	return p;
}

static struct bpf_object *load_accounting(const char *path, int smt)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	struct keck_settings *settings;
	struct keck_globals *globals;
	struct keck_cpu *cpus;
	int possible = libbpf_num_possible_cpus();
	__u64 *ring;
	size_t size;

	if (!o) exit(1);
	settings = (void *)bpf_map__initial_value(bpf_object__find_map_by_name(o, ".rodata"), &size);
	*settings = (struct keck_settings) { PIDS - 1, 17 - 3, SLOTS - 1, smt, 0, 0, KECK_ENTRIES, 0 };
	resize(o, "cpus", possible);
	resize(o, "slots", SLOTS);
	resize(o, "metas", SLOTS);
	resize(o, "ring", SLOTS);
	resize(o, "pids", PIDS);
	bpf_program__set_autoload(bpf_object__find_program_by_name(o, "on_frequency"), 0);
	if (bpf_object__load(o)) exit(1);
	ring = shared(o, "ring", SLOTS * sizeof *ring);
	globals = shared(o, ".bss", 4096);
	cpus = shared(o, "cpus", (possible * sizeof *cpus + 4095) & ~4095ul);
	for (int cpu = 0; smt && cpu < possible; cpu++) cpus[cpu].sibling = (cpu ^ 1) < possible ? (cpu ^ 1) + 1 : 0;
	for (__u64 i = 1; i < SLOTS; i++) ring[i - 1] = i;
	__atomic_store_n(&globals->tail, SLOTS - 1, __ATOMIC_RELEASE);
	return o;
}

static int compare(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return x < y ? -1 : x > y; }
static double median(double *v) { qsort(v, ROUNDS, sizeof *v, compare); return v[ROUNDS / 2]; }

int main(int argc, char **argv)
{
	static const int threads[] = { 2, 1000 };
	static const char *load[] = { "hot: two threads in turn", "1,000 threads in turn" };
	static const char *names[] = { "empty_switch", "on_switch", "on_switch", "hash_switch" };
	double figures[2][4][ROUNDS], net[2][4];
	struct bpf_object *hash, *objects[4];
	int bad = 0;

	if (argc != 3) return 2;
	libbpf_set_print(NULL);
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0) { perror("bpf_enable_stats"); return 1; }
	hash = bpf_object__open_file(argv[2], NULL);
	if (!hash || bpf_object__load(hash)) { fputs("bench: the hash design does not load\n", stderr); return 1; }
	objects[0] = objects[3] = hash;
	objects[1] = load_accounting(argv[1], 0);
	objects[2] = load_accounting(argv[1], 1);
	for (int round = 0; round < ROUNDS; round++)
		for (int l = 0; l < 2; l++)
			for (int d = 0; d < 4; d++) {
				static const char *others[] = { "on_free", "on_rename", "on_exec" };
				struct bpf_program *p = bpf_object__find_program_by_name(objects[d], names[d]);
				struct bpf_link *links[4] = {};
				int n = 0;

				for (int k = 0; k < 3 && (d == 1 || d == 2); k++)
					links[n++] = bpf_program__attach(bpf_object__find_program_by_name(objects[d], others[k]));
				links[n] = bpf_program__attach(p);
				if (!links[n]) { perror("attach"); return 1; }
				figures[l][d][round] = cost(bpf_program__fd(p), threads[l]);
				for (int k = n; k >= 0; k--) bpf_link__destroy(links[k]);
			}
	puts("| load | keck, ns a switch | keck with SMT siblings | hash by (tid, cpu) | hash / keck | goal |\n|---|---|---|---|---|---|");
	for (int l = 0; l < 2; l++) {
		double empty = median(figures[l][0]);

		for (int d = 1; d < 4; d++) net[l][d] = median(figures[l][d]) - empty;
		printf("| %s | %.1f | %.1f | %.1f | %.1f | ≤ %d ns, ratio ≥ 5 |\n", load[l], net[l][1], net[l][2], net[l][3], net[l][3] / net[l][1], l ? 50 : 20);
		bad |= net[l][1] * 5 > net[l][3];
	}
	printf("\nNet of an empty program (%.1f ns); median of %d rounds of %d ms, the designs in turns. The tables hold the default profile.\n", median(figures[0][0]), ROUNDS, MILLISECONDS);
	return bad ? 3 : 0;
}
