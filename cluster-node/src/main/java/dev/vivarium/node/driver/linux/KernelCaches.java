package dev.vivarium.node.driver.linux;

/**
 * When to have the kernel give back a group's caches, where it does not show how much of its memory they are: version 1
 * counts names of files that were looked up (each some 200 bytes, whether the file exists or not) like memory that is in
 * use. Pure and immutable.
 *
 * @param limitBytes the memory limit of the group's program
 * @param pinnedBytes kernel memory that could not be reclaimed the last time
 */
record KernelCaches(long limitBytes, long pinnedBytes) {
    /** Nearer to the limit than this, the measurement decides on an alarm, and soon on the end of the run. */
    private static final double SHARE_THAT_MATTERS = 0.75;

    /** Caches below this size are not reclaimed, since they decide nothing. */
    private static final long SMALLEST_BYTES = 1 << 20;

    private static final int STEPS_OF_LIMIT = 32;

    static KernelCaches unlimited() {
        return new KernelCaches(Long.MAX_VALUE, 0);
    }

    static KernelCaches of(long limitBytes) {
        return new KernelCaches(limitBytes, 0);
    }

    /**
     * Whether to reclaim caches before the group is measured: near the limit, and at the end, when the peak is
     * reported. Only once kernel memory has grown: a group that pins much of it is not asked at each sample.
     */
    boolean areToBeGivenBack(long kernelBytes, long allBytes, boolean isOver) {
        long step = Math.max(SMALLEST_BYTES, isOver ? 0 : limitBytes / STEPS_OF_LIMIT);
        boolean matters = isOver || allBytes > SHARE_THAT_MATTERS * limitBytes;
        return matters && kernelBytes - pinnedBytes > step;
    }

    KernelCaches afterwards(long kernelBytes) {
        return new KernelCaches(limitBytes, kernelBytes);
    }
}
