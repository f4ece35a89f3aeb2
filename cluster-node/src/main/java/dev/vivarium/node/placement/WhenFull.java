package dev.vivarium.node.placement;

/** What a submission does when the node it was sent to has no free slot. */
public enum WhenFull {
    /** It is refused, because another node seems to have one and can be tried. */
    REFUSE,
    /** It waits, if the queue has room. */
    QUEUE
}
