package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.ContainerProcesses;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.EngineEvents;
import dev.vivarium.loadtests.subject.EngineEvents.Event;
import dev.vivarium.loadtests.subject.Pauses;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Records the sandboxes that an engine runs, from its events and clock. Waits for an engine that goes down; sandboxes
 * that ended meanwhile are only known to have been alive when it went down.
 */
final class EngineLog implements SandboxLog {
    private static final String INSTALLATION = "dev.vivarium.installation";
    private static final String NODE = "dev.vivarium.node";
    private static final Pattern NAME = Pattern.compile("vivarium-[0-9a-f]{8}-([0-9a-z]{26})-([0-9]{1,9})");
    private static final long AWAY_MILLIS = 100;

    private final EngineApi engine;
    private final Thread reader = new Thread(this::read, "engine-log");
    private final Map<String, Life> lives = new TreeMap<>();
    private final Map<String, Instant> removals = new TreeMap<>();
    private EngineEvents events;
    private volatile boolean closing;

    private static final class Life {
        private final String installation;
        private final SandboxLife began;
        private Optional<Instant> ended = Optional.empty();

        private Life(String installation, SandboxLife began) {
            this.installation = installation;
            this.began = began;
        }
    }

    /** Starts recording. */
    EngineLog(EngineApi engine) throws IOException {
        this.engine = engine;
        this.events = engine.events(INSTALLATION, Optional.empty());
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try {
            while (!closing) {
                Optional<Event> next = next();
                if (next.isPresent()) {
                    write(next.get());
                } else {
                    resume();
                }
            }
        } catch (IOException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Optional<Event> next() {
        try {
            return events.next();
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    private void resume() throws IOException {
        Instant gone = Instant.now();
        while (!closing) {
            try {
                events.close();
                events = engine.events(INSTALLATION, Optional.of(gone));
                endAllBut(new HashSet<>(engine.running("label", INSTALLATION)), gone);
                return;
            } catch (IOException stillAway) {
                Pauses.millis(AWAY_MILLIS);
            }
        }
    }

    private synchronized void endAllBut(Set<String> running, Instant lastSeen) {
        lives.forEach((container, life) -> {
            if (life.ended.isEmpty() && !running.contains(container)) {
                life.ended = Optional.of(lastSeen);
            }
        });
    }

    private synchronized void write(Event event) {
        Matcher name = NAME.matcher(event.name());
        if (event.action().equals("start") && name.matches()) {
            lives.putIfAbsent(
                    event.container(),
                    new Life(
                            event.attributes().getOrDefault(INSTALLATION, ""),
                            new SandboxLife(
                                    Driver.DOCKER,
                                    event.container(),
                                    name.group(1),
                                    Integer.parseInt(name.group(2)),
                                    event.attributes().getOrDefault(NODE, ""),
                                    event.at(),
                                    Optional.empty())));
        } else if (event.action().equals("die")) {
            Life life = lives.get(event.container());
            if (life != null && life.ended.isEmpty()) {
                life.ended = Optional.of(event.at());
            }
        } else if (event.action().equals("destroy") && lives.containsKey(event.container())) {
            removals.putIfAbsent(event.container(), event.at());
        }
    }

    private Optional<String> installation(Set<String> runs) {
        return lives.values().stream()
                .filter(life -> runs.contains(life.began.run()))
                .map(life -> life.installation)
                .findFirst();
    }

    @Override
    public synchronized List<SandboxLife> sandboxes(Set<String> runs) {
        Optional<String> installation = installation(runs);
        List<SandboxLife> all = new ArrayList<>();
        lives.values().stream()
                .filter(life -> installation.equals(Optional.of(life.installation)))
                .forEach(life -> all.add(new SandboxLife(
                        Driver.DOCKER,
                        life.began.id(),
                        life.began.run(),
                        life.began.attempt(),
                        life.began.node(),
                        life.began.started(),
                        life.ended)));
        return all;
    }

    @Override
    public synchronized Optional<Instant> removed(SandboxLife sandbox) {
        return Optional.ofNullable(removals.get(sandbox.id()));
    }

    /** Ids of the installation's remaining containers, sandboxes or not. */
    @Override
    public List<String> left(Set<String> runs) throws IOException {
        Optional<String> installation;
        synchronized (this) {
            installation = installation(runs);
        }
        return installation.isPresent() ? engine.list("label", INSTALLATION + "=" + installation.get()) : List.of();
    }

    @Override
    public ContainerProcesses processes(SandboxLife sandbox) throws IOException {
        return ContainerProcesses.of(engine, sandbox.id());
    }

    @Override
    public void close() throws IOException {
        closing = true;
        events.close();
    }
}
