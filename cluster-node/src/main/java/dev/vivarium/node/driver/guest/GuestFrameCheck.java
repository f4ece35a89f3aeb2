package dev.vivarium.node.driver.guest;

import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checks the guest's frames against what the node sent: answers only to requests, once each; output only on open
 * streams, within their credit. So a listener never receives a frame that an honest guest would not send, even if an
 * agent has compromised its guest. Its memory is bounded by the node's own requests.
 *
 * <p>{@link GuestFrame.Use} may come at any time, and so may {@link GuestFrame.StdinCredit}, even for a process that has
 * ended, since a descendant may still read its input.
 */
final class GuestFrameCheck {
    private final Map<Integer, Ordered> processes = new HashMap<>();
    private final Map<Integer, Integer> files = new HashMap<>();
    private final Map<Integer, Integer> pings = new HashMap<>();
    private final Map<Integer, Integer> looks = new HashMap<>();
    private int killAlls;

    private enum Phase {
        STARTING,
        RUNNING,
        ENDED
    }

    /** A process that the node requested and that may still send frames. */
    private static final class Ordered {
        Phase phase = Phase.STARTING;
        /** The remaining credit of each open stream. */
        final Map<NodeFrame.Stream, Long> bytesLeft = new EnumMap<>(NodeFrame.Stream.class);
    }

    /** Call before sending the frame, since the answer may arrive immediately. */
    synchronized void sending(NodeFrame frame) {
        if (frame instanceof NodeFrame.Spawn spawn) {
            expect(spawn);
        } else if (frame instanceof NodeFrame.Credit credit) {
            Ordered process = processes.get(credit.process());
            if (process != null) {
                process.bytesLeft.computeIfPresent(credit.stream(), (stream, bytes) -> bytes + credit.bytes());
            }
        } else if (frame instanceof NodeFrame.FileRequest file) {
            files.merge(file.request(), 1, Integer::sum);
        } else if (frame instanceof NodeFrame.Look look) {
            looks.merge(look.request(), 1, Integer::sum);
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

    /** What is wrong with the frame, as a sentence; empty when the guest may send it. */
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
        } else if (frame instanceof GuestFrame.FolderListed listed) {
            return answered(looks, listed.request(), "look");
        } else if (frame instanceof GuestFrame.FileRead read) {
            return answered(looks, read.request(), "look");
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
            return Optional.of("The guest reported the start of process " + id + ", which was not requested.");
        }
        process.phase = Phase.RUNNING;
        return Optional.empty();
    }

    private Optional<String> notStarted(int id) {
        if (in(Phase.STARTING, id) == null) {
            return Optional.of("The guest failed to start process " + id + ", which was not requested.");
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
            return Optional.of("The guest reported the end of process " + id + ", which is not running.");
        }
        process.phase = Phase.ENDED;
        forgetWhenOver(id, process);
        return Optional.empty();
    }

    private Optional<String> allGone() {
        boolean running = processes.values().stream().anyMatch(process -> process.phase != Phase.STARTING);
        if (killAlls == 0 || running) {
            return Optional.of(
                    "The guest reported that all processes are gone, although they are not or the node did not ask.");
        }
        // Several overlapping requests may have one answer; any left over can only repeat the same news.
        killAlls--;
        return Optional.empty();
    }

    private static Optional<String> answered(Map<Integer, Integer> asked, int request, String what) {
        if (!asked.containsKey(request)) {
            return Optional.of("The guest answered " + what + " " + request + ", which was not requested.");
        }
        asked.computeIfPresent(request, (id, count) -> count > 1 ? count - 1 : null);
        return Optional.empty();
    }

    private @Nullable Ordered in(Phase phase, int id) {
        Ordered process = processes.get(id);
        return process != null && process.phase == phase ? process : null;
    }

    /** The process, if it was started and that stream of it is open. */
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
