package dev.vivarium.node.driver.guest;

import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a guest may say, given what its node has said: an answer only to what was asked, once; output only of streams
 * that are open, within their credit. So whoever listens hears no frame that an honest guest would not send, whatever
 * an agent has made of its guest. It remembers no more than the node has asked for.
 *
 * <p>{@link GuestFrame.Disk} may come at any time, and so may {@link GuestFrame.StdinCredit}, even for a process that has
 * ended, since a descendant may still read its input.
 */
final class GuestFrameCheck {
    private final Map<Integer, Ordered> processes = new HashMap<>();
    private final Map<Integer, Integer> files = new HashMap<>();
    private final Map<Integer, Integer> pings = new HashMap<>();
    private int killAlls;

    private enum Phase {
        STARTING,
        RUNNING,
        ENDED
    }

    /** A process that the node ordered and that may still have something to tell. */
    private static final class Ordered {
        Phase phase = Phase.STARTING;
        /** What each stream may still send; without those that have ended. */
        final Map<NodeFrame.Stream, Long> bytesLeft = new EnumMap<>(NodeFrame.Stream.class);
    }

    /** To be told before the frame is sent: the answer may come at once. */
    synchronized void sending(NodeFrame frame) {
        if (frame instanceof NodeFrame.Spawn spawn) {
            expect(spawn);
        } else if (frame instanceof NodeFrame.Credit credit) {
            Ordered process = processes.get(credit.process());
            if (process != null) {
                process.bytesLeft.computeIfPresent(credit.stream(), (stream, bytes) -> bytes + credit.bytes());
            }
        } else if (frame instanceof NodeFrame.WriteFile file) {
            files.merge(file.request(), 1, Integer::sum);
        } else if (frame instanceof NodeFrame.Ping ping) {
            pings.merge(ping.request(), 1, Integer::sum);
        } else if (frame instanceof NodeFrame.KillAll) {
            killAlls++;
        }
    }

    private void expect(NodeFrame.Spawn spawn) {
        Ordered process = new Ordered();
        process.bytesLeft.put(NodeFrame.Stream.STDOUT, (long) spawn.outputWindowBytes());
        if (spawn.terminal().isEmpty()) {
            process.bytesLeft.put(NodeFrame.Stream.STDERR, (long) spawn.outputWindowBytes());
        }
        if (processes.putIfAbsent(spawn.process(), process) != null) {
            throw new IllegalArgumentException("Process " + spawn.process() + " has not ended yet.");
        }
    }

    /** What is wrong with the frame, as a sentence; empty when the guest was free to send it. */
    synchronized Optional<String> objection(GuestFrame frame) {
        if (frame instanceof GuestFrame.Hello) {
            return Optional.of("The guest greeted twice.");
        } else if (frame instanceof GuestFrame.Spawned spawned) {
            return started(spawned.process());
        } else if (frame instanceof GuestFrame.SpawnFailed failed) {
            return notStarted(failed.process());
        } else if (frame instanceof GuestFrame.Output output) {
            return printed(output);
        } else if (frame instanceof GuestFrame.OutputClosed closed) {
            return streamEnded(closed);
        } else if (frame instanceof GuestFrame.Exited exited) {
            return ended(exited.process());
        } else if (frame instanceof GuestFrame.Signaled signaled) {
            return ended(signaled.process());
        } else if (frame instanceof GuestFrame.Done done) {
            return answered(files, done.request(), "file request");
        } else if (frame instanceof GuestFrame.Pong pong) {
            return answered(pings, pong.request(), "ping");
        } else if (frame instanceof GuestFrame.AllGone) {
            return allGone();
        }
        return Optional.empty();
    }

    private Optional<String> started(int id) {
        Ordered process = in(Phase.STARTING, id);
        if (process == null) {
            return Optional.of("The guest told of the start of process " + id + ", which was not to be started.");
        }
        process.phase = Phase.RUNNING;
        return Optional.empty();
    }

    private Optional<String> notStarted(int id) {
        if (in(Phase.STARTING, id) == null) {
            return Optional.of("The guest did not start process " + id + ", which was not to be started.");
        }
        processes.remove(id);
        return Optional.empty();
    }

    private Optional<String> printed(GuestFrame.Output output) {
        Ordered process = withOpen(output.process(), output.stream());
        if (process == null) {
            return Optional.of("The guest sent output of a stream that is not open.");
        }
        long left =
                process.bytesLeft.merge(output.stream(), -(long) output.data().length(), Long::sum);
        return left < 0 ? Optional.of("The guest sent more output than it had credit for.") : Optional.empty();
    }

    private Optional<String> streamEnded(GuestFrame.OutputClosed closed) {
        Ordered process = withOpen(closed.process(), closed.stream());
        if (process == null) {
            return Optional.of("The guest closed a stream that is not open.");
        }
        process.bytesLeft.remove(closed.stream());
        forgetWhenOver(closed.process(), process);
        return Optional.empty();
    }

    private Optional<String> ended(int id) {
        Ordered process = in(Phase.RUNNING, id);
        if (process == null) {
            return Optional.of("The guest told of the end of process " + id + ", which does not run.");
        }
        process.phase = Phase.ENDED;
        forgetWhenOver(id, process);
        return Optional.empty();
    }

    private Optional<String> allGone() {
        boolean running = processes.values().stream().anyMatch(process -> process.phase != Phase.STARTING);
        if (killAlls == 0 || running) {
            return Optional.of("The guest said that all are gone, and they are not, or nobody had asked.");
        }
        // Several orders that meet may have one answer; those that are left over allow for nothing but the same news.
        killAlls--;
        return Optional.empty();
    }

    private static Optional<String> answered(Map<Integer, Integer> asked, int request, String what) {
        if (!asked.containsKey(request)) {
            return Optional.of("The guest answered " + what + " " + request + ", which nobody had made.");
        }
        asked.computeIfPresent(request, (id, count) -> count > 1 ? count - 1 : null);
        return Optional.empty();
    }

    private @Nullable Ordered in(Phase phase, int id) {
        Ordered process = processes.get(id);
        return process != null && process.phase == phase ? process : null;
    }

    /** The process, when it was started and that stream of it is open. */
    private @Nullable Ordered withOpen(int id, NodeFrame.Stream stream) {
        Ordered process = processes.get(id);
        return process != null && process.phase != Phase.STARTING && process.bytesLeft.containsKey(stream)
                ? process
                : null;
    }

    private void forgetWhenOver(int id, Ordered process) {
        if (process.phase == Phase.ENDED && process.bytesLeft.isEmpty()) {
            processes.remove(id);
        }
    }
}
