package dev.vivarium.node.guest;

import dev.vivarium.protocol.guest.NodeFrame.Resource;
import dev.vivarium.protocol.guest.NodeFrame.Spawn;
import dev.vivarium.protocol.guest.NodeFrame.TerminalSize;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Builds requests for processes, with defaults that suit most tests. */
final class SpawnBuilder {
    private final int process;
    private final List<String> argv;
    private Map<String, String> env = Map.of("PATH", "/usr/bin:/bin");
    private String workdir = "/workspace";
    private Map<Resource, Long> rlimits = Map.of();
    private Optional<TerminalSize> terminal = Optional.empty();
    private int windowBytes = Integer.MAX_VALUE;
    private int uid = TestGuest.AGENT;

    SpawnBuilder(int process, String... argv) {
        this.process = process;
        this.argv = List.of(argv);
    }

    SpawnBuilder env(Map<String, String> value) {
        env = value;
        return this;
    }

    SpawnBuilder workdir(String value) {
        workdir = value;
        return this;
    }

    SpawnBuilder rlimits(Map<Resource, Long> value) {
        rlimits = value;
        return this;
    }

    SpawnBuilder terminal(int rows, int columns) {
        terminal = Optional.of(new TerminalSize(rows, columns));
        return this;
    }

    SpawnBuilder windowBytes(int value) {
        windowBytes = value;
        return this;
    }

    SpawnBuilder uid(int value) {
        uid = value;
        return this;
    }

    Spawn build() {
        return new Spawn(process, argv, env, workdir, uid, TestGuest.AGENT, rlimits, terminal, windowBytes);
    }
}
