package dev.vivarium.node.driver.guest;

/** Lets so many frames be unconfirmed, and no more. */
final class FrameWindow {
    private final int unconfirmedMax;
    private int unconfirmed;
    private boolean wanted;

    FrameWindow(int unconfirmedMax) {
        this.unconfirmedMax = unconfirmedMax;
    }

    /** Takes a place for one more frame; when there is none, the next confirmation says that one is wanted. */
    synchronized boolean take() {
        wanted = unconfirmed >= unconfirmedMax;
        if (!wanted) {
            unconfirmed++;
        }
        return !wanted;
    }

    /** One frame less; true when a place was wanted. */
    synchronized boolean confirm() {
        if (unconfirmed == 0) {
            throw new IllegalStateException("More frames were confirmed than were handed over.");
        }
        unconfirmed--;
        boolean wasWanted = wanted;
        wanted = false;
        return wasWanted;
    }
}
