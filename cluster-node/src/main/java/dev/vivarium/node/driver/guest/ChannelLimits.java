package dev.vivarium.node.driver.guest;

/**
 * The limits of the channel to one guest.
 *
 * @param queueBytesMax bytes that may wait to be sent
 * @param unconfirmedFramesMax unconfirmed frames
 */
public record ChannelLimits(int queueBytesMax, int unconfirmedFramesMax) {}
