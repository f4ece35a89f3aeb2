package dev.vivarium.node.cli;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.cli.cluster.ClusterProblem;
import dev.vivarium.node.cli.cluster.LocalCluster;
import dev.vivarium.node.cli.cluster.Member.Signal;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** A command that acts on one member of a local cluster and reports it in a sentence. */
abstract class ClusterMemberCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "MEMBER", description = "A node's number, or `store`.")
    private String member = "";

    @Mixin
    private final ClusterCommand.FolderOption folder = new ClusterCommand.FolderOption();

    ClusterMemberCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** Performs the action and returns a sentence that describes it. */
    abstract String act(LocalCluster cluster, String member)
            throws ClusterProblem, NodeStartException, IOException, InterruptedException;

    @Override
    public Integer call() throws NodeStartException {
        return ClusterCommand.reportingProblems(surroundings.terminal(), () -> {
            LocalCluster cluster = folder.cluster(surroundings);
            surroundings.terminal().note(act(cluster, member));
            return ExitCode.OK;
        });
    }

    /** {@code vivarium cluster kill}. */
    @Command(
            name = "kill",
            description = "Ends a member with SIGKILL, as a crash would.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Kill extends ClusterMemberCommand {
        Kill(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        String act(LocalCluster cluster, String member) throws ClusterProblem, IOException, InterruptedException {
            String name = cluster.member(member).name();
            return cluster.kill(member) ? name + " is killed." : name + " did not run.";
        }
    }

    /** {@code vivarium cluster stop}. */
    @Command(
            name = "stop",
            description =
                    "Has a member end in order and waits for it: a node takes no new runs, lets the live ones end within"
                            + " its drain, and hands the rest over.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Stop extends ClusterMemberCommand {
        Stop(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        String act(LocalCluster cluster, String member) throws ClusterProblem, IOException, InterruptedException {
            String name = cluster.member(member).name();
            return cluster.stop(member) ? name + " has stopped." : name + " did not run.";
        }
    }

    /** {@code vivarium cluster start}. */
    @Command(
            name = "start",
            description = "Starts a member again and returns when it is ready.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Start extends ClusterMemberCommand {
        Start(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        String act(LocalCluster cluster, String member)
                throws ClusterProblem, NodeStartException, IOException, InterruptedException {
            cluster.start(member);
            return cluster.member(member).name() + " is ready.";
        }
    }

    /** {@code vivarium cluster freeze}. */
    @Command(
            name = "freeze",
            description = "Stops a member in its tracks (SIGSTOP), as a machine that hangs.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Freeze extends ClusterMemberCommand {
        Freeze(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        String act(LocalCluster cluster, String member) throws ClusterProblem, IOException, InterruptedException {
            cluster.signal(member, Signal.STOP);
            return cluster.member(member).name() + " is frozen; `vivarium cluster thaw` wakes it.";
        }
    }

    /** {@code vivarium cluster thaw}. */
    @Command(
            name = "thaw",
            description = "Lets a frozen member go on (SIGCONT).",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Thaw extends ClusterMemberCommand {
        Thaw(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        String act(LocalCluster cluster, String member) throws ClusterProblem, IOException, InterruptedException {
            cluster.signal(member, Signal.CONT);
            return cluster.member(member).name() + " goes on.";
        }
    }
}
