// SPDX-License-Identifier: Apache-2.0
/*
 * Says a line over AF_VSOCK and prints the answer. It refuses outside the rigs' machines (they have /etc/rig), since CID 2 of
 * a build machine is that machine's own hypervisor.
 *
 *   vsock-probe connect CID PORT TEXT    prints what the other side answers until it closes
 *   vsock-probe listen PORT COUNT        answers COUNT connections with "ack <text>"; prints "from <cid>: <text>" for each
 */
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int say(unsigned int cid, unsigned int port, const char *text)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	char answer[512];
	ssize_t got;
	int peer = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (peer < 0)
		return fail("socket");
	if (connect(peer, (struct sockaddr *)&address, sizeof address) < 0)
		return fail("connect");
	if (dprintf(peer, "%s\n", text) < 0)
		return fail("write");
	shutdown(peer, SHUT_WR);
	while ((got = read(peer, answer, sizeof answer)) > 0)
		fwrite(answer, 1, got, stdout);
	return got < 0 ? fail("read") : 0;
}

static int answer(unsigned int port, int count)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port };
	int listener = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 8) < 0)
		return fail("listen");
	while (count-- > 0) {
		struct sockaddr_vm from;
		socklen_t size = sizeof from;
		char text[512];
		int peer = accept(listener, (struct sockaddr *)&from, &size);
		if (peer < 0)
			return fail("accept");
		FILE *stream = fdopen(peer, "r+");
		if (stream && fgets(text, sizeof text, stream)) {
			text[strcspn(text, "\n")] = 0;
			printf("from %u: %s\n", from.svm_cid, text);
			fflush(stdout);
			dprintf(peer, "ack %s\n", text);
		}
		if (stream)
			fclose(stream);
	}
	return 0;
}

int main(int count, char **words)
{
	if (access("/etc/rig", F_OK) < 0) {
		fprintf(stderr, "vsock-probe: not a machine of the rigs\n");
		return 2;
	}
	if (count == 5 && strcmp(words[1], "connect") == 0)
		return say(strtoul(words[2], NULL, 10), strtoul(words[3], NULL, 10), words[4]);
	if (count == 4 && strcmp(words[1], "listen") == 0)
		return answer(strtoul(words[2], NULL, 10), atoi(words[3]));
	fprintf(stderr, "usage: vsock-probe connect CID PORT TEXT | vsock-probe listen PORT COUNT\n");
	return 2;
}
