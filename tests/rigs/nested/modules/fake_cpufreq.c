// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cpufreq driver without a clock behind it: the governor picks one of three frequencies per CPU, the core emits the real
 * power:cpu_frequency events and fills scaling_cur_freq. Nothing runs faster or slower for it.
 */
#include <linux/cpufreq.h>
#include <linux/module.h>

static struct cpufreq_frequency_table frequencies[] = {
	{ .driver_data = 0, .frequency = 1500000 },
	{ .driver_data = 1, .frequency = 2200000 },
	{ .driver_data = 2, .frequency = 3400000 },
	{ .frequency = CPUFREQ_TABLE_END },
};

static unsigned int current_khz[NR_CPUS];

static int fake_init(struct cpufreq_policy *policy)
{
	policy->freq_table = frequencies;
	policy->cpuinfo.transition_latency = 10000;
	policy->cur = current_khz[policy->cpu] = 3400000;
	return 0;
}

static int fake_target(struct cpufreq_policy *policy, unsigned int index)
{
	current_khz[policy->cpu] = frequencies[index].frequency;
	return 0;
}

static unsigned int fake_get(unsigned int cpu)
{
	return current_khz[cpu];
}

static struct cpufreq_driver fake_driver = {
	.name = "fake-cpufreq",
	.init = fake_init,
	.verify = cpufreq_generic_frequency_table_verify,
	.target_index = fake_target,
	.get = fake_get,
};

static int __init fake_cpufreq_init(void)
{
	return cpufreq_register_driver(&fake_driver);
}

static void __exit fake_cpufreq_exit(void)
{
	cpufreq_unregister_driver(&fake_driver);
}

module_init(fake_cpufreq_init);
module_exit(fake_cpufreq_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("cpufreq driver of the test rigs");
