package dev.vivarium.node.driver.guest;

/** How a guest's process ended, in words. {@code PROTOCOL.md} beside the guest's source has its exit codes. */
public final class GuestExit {
    private static final int FIRST_SIGNAL_STATUS = 128;

    private GuestExit() {}

    /**
     * The end of the guest as a sentence.
     *
     * @param status its exit code, or 128 plus the signal that killed it
     */
    public static String sentence(int status) {
        return switch (status) {
            case 83 -> "The guest found no directory to work in (exit code 83).";
            case 84 -> "The guest's own deadline ended the sandbox (exit code 84).";
            case 85 -> "The guest lost its channel to the node (exit code 85).";
            case 86 -> "The guest did not understand the node (exit code 86).";
            default -> status > FIRST_SIGNAL_STATUS
                    ? "The guest was killed by signal " + (status - FIRST_SIGNAL_STATUS) + "."
                    : "The guest exited with code " + status + ".";
        };
    }
}
