namespace Keck.Workloads.Tests;

public sealed class CgroupMountTests
{
    [Fact]
    public void FromMountInfo_Hybrid_FindsTheV2Mount() =>
        Assert.Equal("/sys/fs/cgroup/unified", CgroupMount.FromMountInfo(
            "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw\n"u8));

    [Fact]
    public void FromMountInfo_PartOfTheTreeMountedFirst_TakesTheWhole() =>
        Assert.Equal("/sys/fs/cgroup", CgroupMount.FromMountInfo(
            "40 31 0:38 /a /mnt/part rw - cgroup2 cgroup2 rw\n41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"u8));

    [Fact]
    public void FromMountInfo_NoV2OrGarbage_IsNull()
    {
        Assert.Null(CgroupMount.FromMountInfo("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"u8));
        Assert.Null(CgroupMount.FromMountInfo(" - cgroup2 \n\n\0"u8));
    }
}
