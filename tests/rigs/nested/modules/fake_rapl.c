// SPDX-License-Identifier: GPL-2.0-only
/*
 * The powercap tree of a one-socket machine with RAPL (package-0 with core and dram), and a power meter at its wall, out of a
 * power function that a test can set at run time below /sys/module/fake_rapl/parameters:
 *
 *   package = idle_mw + core + square wave of wave_mw every wave_ms
 *   core    = core_mw x share of the CPUs' time that was not idle
 *   dram    = dram_mw
 *   wall    = (package + dram) / 0.9 + 30 W
 *
 * Energy is integrated exactly, in picojoules (1 mW for 1 ns), between reads; the busy share has the resolution of the tick.
 * A parameter holds from the next read on. Counters start at start_uj and wrap after wrap_uj, both as in max_energy_range_uj.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/hwmon.h>
#include <linux/kernel_stat.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/powercap.h>

static unsigned int idle_mw = 20000, core_mw = 75000, dram_mw = 4000, wave_mw, wave_ms = 2000;
static unsigned long long wrap_uj = 262143328850ULL, start_uj = 1000000ULL;
module_param(idle_mw, uint, 0644);
module_param(core_mw, uint, 0644);
module_param(dram_mw, uint, 0644);
module_param(wave_mw, uint, 0644);
module_param(wave_ms, uint, 0644);
module_param(wrap_uj, ullong, 0444);
module_param(start_uj, ullong, 0444);

enum part { PACKAGE, CORE, DRAM, PARTS };
static const char *const names[PARTS] = { "package-0", "core", "dram" };

struct meter {
	struct powercap_zone zone;
	u64 energy_uj;		/* below wrap_uj */
	u64 rest_pj;		/* below one microjoule */
	u64 total_uj;		/* never wraps */
};

static struct powercap_control_type *control;
static struct meter meters[PARTS];
static struct platform_device *wall_device;
static struct device *wall;
static DEFINE_MUTEX(lock);
static u64 last_ns, last_busy_ns, last_high_ns;

/* Time that CPUs did not idle, over all of them, since they came up. */
static u64 busy_ns(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		u64 *time = kcpustat_cpu(cpu).cpustat;

		sum += time[CPUTIME_USER] + time[CPUTIME_NICE] + time[CPUTIME_SYSTEM] + time[CPUTIME_IRQ] + time[CPUTIME_SOFTIRQ];
	}
	return sum;
}

/* How long the square wave has been high from 0 to now. */
static u64 high_ns(u64 now)
{
	u64 period = max(wave_ms, 2U) * 1000000ULL, half = period / 2, into;
	u64 periods = div64_u64_rem(now, period, &into);

	return periods * half + (into > half ? into - half : 0);
}

static void add(struct meter *meter, u64 picojoules)
{
	u64 rest, whole = div64_u64_rem(meter->rest_pj + picojoules, 1000000, &rest);

	meter->rest_pj = rest;
	meter->total_uj += whole;
	meter->energy_uj = (meter->energy_uj + whole) % wrap_uj;
}

/* Brings all meters up to now. Called with the lock held. */
static void advance(void)
{
	u64 now = ktime_get_ns(), busy = busy_ns(), high = high_ns(now);
	u64 elapsed = now - last_ns, worked = busy - last_busy_ns;
	/* A change of wave_ms between two reads moves the wave's past; nothing is ever taken back for it. */
	u64 raised = high > last_high_ns ? min(high - last_high_ns, elapsed) : 0;
	u64 core;

	worked = min(worked, elapsed * num_online_cpus());
	core = worked / num_online_cpus() * core_mw;
	add(&meters[CORE], core);
	add(&meters[PACKAGE], elapsed * idle_mw + core + raised * wave_mw);
	add(&meters[DRAM], elapsed * dram_mw);
	last_ns = now;
	last_busy_ns = busy;
	last_high_ns = high;
}

static int get_energy(struct powercap_zone *zone, u64 *energy)
{
	struct meter *meter = container_of(zone, struct meter, zone);

	mutex_lock(&lock);
	advance();
	*energy = meter->energy_uj;
	mutex_unlock(&lock);
	return 0;
}

/* RAPL says the largest value of its counter, one step less than its modulus. */
static int get_range(struct powercap_zone *zone, u64 *range)
{
	*range = wrap_uj - 1;
	return 0;
}

static int release(struct powercap_zone *zone)
{
	return 0;
}

static const struct powercap_zone_ops zone_operations = {
	.get_energy_uj = get_energy,
	.get_max_energy_range_uj = get_range,
	.release = release,
};

static int get_limit(struct powercap_zone *zone, int constraint, u64 *microwatts)
{
	*microwatts = (u64)(idle_mw + core_mw) * 1000;
	return 0;
}

static int refuse(struct powercap_zone *zone, int constraint, u64 value)
{
	return -EPERM;
}

static int get_window(struct powercap_zone *zone, int constraint, u64 *microseconds)
{
	*microseconds = 976562;
	return 0;
}

static const char *get_name(struct powercap_zone *zone, int constraint)
{
	return "long_term";
}

static const struct powercap_zone_constraint_ops constraint_operations = {
	.get_power_limit_uw = get_limit,
	.set_power_limit_uw = refuse,
	.get_time_window_us = get_window,
	.set_time_window_us = refuse,
	.get_name = get_name,
};

/* Watts since the reading before, at least 100 ms apart, as the averaging of a real power meter. */
static int read_wall(struct device *device, enum hwmon_sensor_types type, u32 attribute, int channel, long *microwatts)
{
	static u64 seen_ns, seen_uj;
	static long average;
	u64 total;

	mutex_lock(&lock);
	advance();
	total = meters[PACKAGE].total_uj + meters[DRAM].total_uj;
	if (seen_ns == 0)
		average = 30000000 + (long)(idle_mw + dram_mw) * 1000 * 10 / 9;
	else if (last_ns - seen_ns >= 100000000)
		average = 30000000 + (long)div64_u64((total - seen_uj) * 1000000, div_u64(last_ns - seen_ns, 1000)) * 10 / 9;
	if (seen_ns == 0 || last_ns - seen_ns >= 100000000) {
		seen_ns = last_ns;
		seen_uj = total;
	}
	*microwatts = average;
	mutex_unlock(&lock);
	return 0;
}

static umode_t visible(const void *data, enum hwmon_sensor_types type, u32 attribute, int channel)
{
	return 0444;
}

static const struct hwmon_ops wall_operations = { .is_visible = visible, .read = read_wall };
static const struct hwmon_channel_info *const wall_channels[] = { HWMON_CHANNEL_INFO(power, HWMON_P_AVERAGE), NULL };
static const struct hwmon_chip_info wall_chip = { .ops = &wall_operations, .info = (void *)wall_channels };

static int __init register_zones(void)
{
	int part;

	for (part = 0; part < PARTS; part++) {
		struct powercap_zone *parent = part == PACKAGE ? NULL : &meters[PACKAGE].zone;
		struct powercap_zone *zone;

		meters[part].energy_uj = start_uj % wrap_uj;
		zone = powercap_register_zone(&meters[part].zone, control, names[part], parent, &zone_operations, 1,
					      &constraint_operations);
		if (IS_ERR(zone)) {
			while (--part >= 0)
				powercap_unregister_zone(control, &meters[part].zone);
			return PTR_ERR(zone);
		}
	}
	return 0;
}

static int __init fake_rapl_init(void)
{
	int error;

	if (wrap_uj == 0)
		return -EINVAL;
	last_ns = ktime_get_ns();
	last_busy_ns = busy_ns();
	last_high_ns = high_ns(last_ns);
	control = powercap_register_control_type(NULL, "intel-rapl", NULL);
	if (IS_ERR(control))
		return PTR_ERR(control);
	error = register_zones();
	if (error)
		goto no_zones;
	wall_device = platform_device_register_simple("power_meter", -1, NULL, 0);
	error = PTR_ERR_OR_ZERO(wall_device);
	if (error)
		goto no_device;
	/* Named as the ACPI driver of real servers names itself, so that it is found as they are. */
	wall = hwmon_device_register_with_info(&wall_device->dev, "power_meter", NULL, &wall_chip, NULL);
	error = PTR_ERR_OR_ZERO(wall);
	if (error)
		goto no_wall;
	return 0;

no_wall:
	platform_device_unregister(wall_device);
no_device:
	powercap_unregister_zone(control, &meters[DRAM].zone);
	powercap_unregister_zone(control, &meters[CORE].zone);
	powercap_unregister_zone(control, &meters[PACKAGE].zone);
no_zones:
	powercap_unregister_control_type(control);
	return error;
}

static void __exit fake_rapl_exit(void)
{
	hwmon_device_unregister(wall);
	platform_device_unregister(wall_device);
	powercap_unregister_zone(control, &meters[DRAM].zone);
	powercap_unregister_zone(control, &meters[CORE].zone);
	powercap_unregister_zone(control, &meters[PACKAGE].zone);
	powercap_unregister_control_type(control);
}

module_init(fake_rapl_init);
module_exit(fake_rapl_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("RAPL and power meter of the test rigs");
