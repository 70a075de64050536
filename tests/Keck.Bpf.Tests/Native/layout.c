/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled by a test, with the figures of the C# mirrors put in as macros. */
#include <stddef.h>
#include <linux/perf_event.h>
#include <time.h>
#include <bpf/bpf.h>
#include "records.h"
#include "mirrors.h"
