package dev.vivarium.node.machine;

/**
 * The result of one check.
 *
 * @param level how much it matters
 * @param part its subject: kernel, engine, memory
 * @param found the observation, with the reason why it matters
 * @param remedy what to do about it; empty when there is nothing to do
 */
public record Finding(Level level, String part, String found, String remedy) {
    static Finding ok(String part, String found) {
        return new Finding(Level.OK, part, found, "");
    }
}
