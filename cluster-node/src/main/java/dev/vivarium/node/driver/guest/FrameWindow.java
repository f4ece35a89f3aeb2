package dev.vivarium.node.driver.guest;

/** Limits the number of unconfirmed frames. */
final class FrameWindow {
    private final int unconfirmedMax;
    private int unconfirmed;
    private boolean wanted;

    FrameWindow(int unconfirmedMax) {
        this.unconfirmedMax = unconfirmedMax;
    }

    /** Takes room for one more frame; if there is none, the next confirmation reports that room is wanted. */
    synchronized boolean take() {
        wanted = unconfirmed >= unconfirmedMax;
        if (!wanted) {
            unconfirmed++;
        }
        return !wanted;
    }

    /** One frame less; returns true when room was wanted. */
    synchronized boolean confirm() {
        if (unconfirmed == 0) {
            throw new IllegalStateException("More frames were confirmed than were passed on.");
        }
        unconfirmed--;
        boolean wasWanted = wanted;
        wanted = false;
        return wasWanted;
    }
}
