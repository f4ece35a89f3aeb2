package dev.vivarium.node.placement;

/** What a submission does that finds no free slots on the node it was sent to. */
public enum WhenFull {
    /** It is refused while another node seems to have room, so that it can be offered there. */
    REFUSE,
    /** It waits for its turn, if the queue has room. */
    QUEUE
}
