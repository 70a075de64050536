// SPDX-License-Identifier: Apache-2.0
/*
 * Runs commands inside a virtual machine of the rigs and sends back what they said, over a virtio-serial port.
 *
 *   rig-agent serve PORT            in the machine: answers on the port of this name, for ever, one command at a time
 *   rig-agent run SOCKET COMMAND    beside the machine: one command over the port's unix socket; exits as it did
 *
 * Request:  "RUN <bytes of command> <bytes of input>\n", the command, its standard input.
 * Answer:   "END <exit status> <bytes of output>\n", what it wrote to standard output and standard error.
 * Test machinery: it gives root to whoever holds the socket.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEADER = 64, COMMAND_MAX = 1 << 20, CHUNK = 1 << 16 };

static void die(const char *what)
{
	perror(what);
	exit(125);
}

/* False at the end of the stream: on a virtio port, nobody holds the other side. */
static bool read_all(int from, char *to, size_t size)
{
	while (size > 0) {
		ssize_t got = read(from, to, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		size -= got;
	}
	return true;
}

static bool write_all(int to, const char *from, size_t size)
{
	while (size > 0) {
		ssize_t put = write(to, from, size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		from += put;
		size -= put;
	}
	return true;
}

static bool read_line(int from, char *line, size_t size)
{
	for (size_t at = 0; at + 1 < size; at++) {
		if (!read_all(from, line + at, 1))
			return false;
		if (line[at] == '\n') {
			line[at] = 0;
			return true;
		}
	}
	return false;
}

static bool copy(int from, int to, size_t size)
{
	static char chunk[CHUNK];
	while (size > 0) {
		size_t part = size < CHUNK ? size : CHUNK;
		if (!read_all(from, chunk, part) || !write_all(to, chunk, part))
			return false;
		size -= part;
	}
	return true;
}

static int memory_file(const char *name)
{
	int file = memfd_create(name, MFD_CLOEXEC);
	if (file < 0)
		die("memfd_create");
	return file;
}

/* The output goes to a file and not to a pipe: a daemon that the command leaves behind must not hold up the answer. */
static int run(const char *command, int input, int output)
{
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		setsid();
		if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
			_exit(125);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}

	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* False when the request broke off or was none: the stream is out of step until the other side connects again. */
static bool serve_one(int port)
{
	char header[HEADER];
	size_t command_size, input_size;
	if (!read_line(port, header, sizeof header))
		return false;
	if (sscanf(header, "RUN %zu %zu", &command_size, &input_size) != 2 || command_size > COMMAND_MAX)
		return false;

	char *command = calloc(1, command_size + 1);
	if (!command)
		die("calloc");
	int input = memory_file("input"), output = memory_file("output");
	bool whole = read_all(port, command, command_size) && copy(port, input, input_size);
	if (whole) {
		lseek(input, 0, SEEK_SET);
		int status = run(command, input, output);
		struct stat said;
		if (fstat(output, &said) < 0)
			die("fstat");
		int length = snprintf(header, sizeof header, "END %d %zu\n", status, (size_t)said.st_size);
		lseek(output, 0, SEEK_SET);
		whole = write_all(port, header, length) && copy(output, port, said.st_size);
	}
	close(input);
	close(output);
	free(command);
	return whole;
}

/* Finds the port by its name in sysfs: the initramfs has no udev to make links. */
static int open_port(const char *name)
{
	const char *folder = "/sys/class/virtio-ports";
	DIR *ports = opendir(folder);
	struct dirent *entry;
	int port = -1;
	while (port < 0 && ports && (entry = readdir(ports))) {
		char path[512], found[128] = "";
		snprintf(path, sizeof path, "%s/%s/name", folder, entry->d_name);
		FILE *file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(found, sizeof found, file))
			found[strcspn(found, "\n")] = 0;
		fclose(file);
		if (strcmp(found, name) == 0) {
			snprintf(path, sizeof path, "/dev/%s", entry->d_name);
			port = open(path, O_RDWR | O_CLOEXEC);
		}
	}
	if (ports)
		closedir(ports);
	return port;
}

static _Noreturn void serve(const char *name)
{
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0);
	int port;
	while ((port = open_port(name)) < 0)
		usleep(100 * 1000);
	for (;;)
		if (!serve_one(port))
			usleep(20 * 1000);
}

static int ask(const char *path, const char *command)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path) {
		fprintf(stderr, "rig-agent: %s is too long for a socket\n", path);
		return 125;
	}
	strcpy(address.sun_path, path);
	int host = socket(AF_UNIX, SOCK_STREAM, 0);
	if (host < 0 || connect(host, (struct sockaddr *)&address, sizeof address) < 0)
		die(path);

	char header[HEADER];
	int status;
	size_t size;
	int length = snprintf(header, sizeof header, "RUN %zu 0\n", strlen(command));
	if (!write_all(host, header, length) || !write_all(host, command, strlen(command)) || !read_line(host, header, sizeof header)
	    || sscanf(header, "END %d %zu", &status, &size) != 2 || !copy(host, 1, size)) {
		fprintf(stderr, "rig-agent: %s broke off\n", path);
		return 125;
	}
	return status;
}

int main(int count, char **words)
{
	if (count == 3 && strcmp(words[1], "serve") == 0)
		serve(words[2]);
	if (count == 4 && strcmp(words[1], "run") == 0)
		return ask(words[2], words[3]);
	fprintf(stderr, "usage: rig-agent serve PORT | rig-agent run SOCKET COMMAND\n");
	return 2;
}
