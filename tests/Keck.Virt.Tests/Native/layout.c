/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled by a test, with the figures of the C# side put in as macros. */
#include <stddef.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include "mirrors.h"

/* The callbacks that we register have these signatures. */
static int lifecycle(virConnectPtr c, virDomainPtr d, int event, int detail, void *opaque) { return 0; }
static void metadata(virConnectPtr c, virDomainPtr d, int type, const char *uri, void *opaque) {}
static void closed(virConnectPtr c, int reason, void *opaque) {}
static void timeout(int timer, void *opaque) {}
static void error(void *data, virErrorPtr e) {}
static virConnectDomainEventCallback a = lifecycle;
static virConnectDomainEventMetadataChangeCallback b = metadata;
static virConnectCloseFunc c = closed;
static virEventTimeoutCallback d = timeout;
static virErrorFunc e = error;
void *keck_all[] = { &a, &b, &c, &d, &e };
