package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StorePreparer;
import dev.vivarium.node.cli.cluster.ClusterPlan;
import dev.vivarium.node.cli.cluster.ClusterProblem;
import dev.vivarium.node.cli.cluster.ClusterStatus;
import dev.vivarium.node.cli.cluster.LocalCluster;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Printable;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code vivarium cluster}. */
@Command(
        name = "cluster",
        description = {
            "A cluster on this machine, to try failover with: a Cassandra and several nodes, as processes of their own.",
            "Node N answers at 127.0.0.N. Pids, logs and data are in one folder."
        },
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 done; 2 wrong usage; 66 no such cluster or member; 69 it cannot be done, and why; 75 another such"
                    + " command is at work.",
            "",
            "Example:",
            "  vivarium cluster up --nodes 3",
            "  vivarium run --detach -- sh -c 'sleep 60; echo attempt $VIVARIUM_ATTEMPT'",
            "  vivarium cluster kill 2",
            "  vivarium cluster status",
            "  vivarium cluster down"
        })
final class ClusterCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    static CommandLine withAll(Surroundings surroundings) {
        return new CommandLine(new ClusterCommand())
                .addSubcommand(new UpCommand(surroundings))
                .addSubcommand(new StatusCommand(surroundings))
                .addSubcommand(new ClusterMemberCommand.Kill(surroundings))
                .addSubcommand(new ClusterMemberCommand.Stop(surroundings))
                .addSubcommand(new ClusterMemberCommand.Start(surroundings))
                .addSubcommand(new ClusterMemberCommand.Freeze(surroundings))
                .addSubcommand(new ClusterMemberCommand.Thaw(surroundings))
                .addSubcommand(new DownCommand(surroundings));
    }

    /** The option for a cluster's folder. */
    static final class FolderOption {
        @Option(
                names = "--folder",
                paramLabel = "DIR",
                description = "Where it keeps everything (default: $$VIVARIUM_HOME/cluster).")
        private @Nullable Path folder;

        LocalCluster cluster(Surroundings surroundings) {
            Path chosen = folder != null ? folder : surroundings.home().resolve("cluster");
            return new LocalCluster(
                    chosen,
                    new LocalCluster.Surroundings(
                            ServiceLoader.load(StorePreparer.class).findFirst().orElseThrow(),
                            System.getProperty("vivarium.cassandra", ""),
                            surroundings.environment(),
                            surroundings.home(),
                            surroundings.root(),
                            surroundings.terminal()::note,
                            NodeClock.system()));
        }
    }

    /** Work on a cluster whose problems {@link #reportingProblems} reports on the command line. */
    interface Step {
        int take() throws ClusterProblem, NodeStartException, IOException, InterruptedException;
    }

    static int reportingProblems(Terminal terminal, Step step) throws NodeStartException {
        try {
            return step.take();
        } catch (ClusterProblem problem) {
            terminal.note(Printable.of(String.valueOf(problem.getMessage())));
            problem.details().forEach(line -> terminal.note("  " + Printable.of(line)));
            return switch (problem.kind()) {
                case USAGE -> ExitCode.USAGE;
                case NOT_FOUND -> ExitCode.NOT_FOUND;
                case UNAVAILABLE -> ExitCode.UNAVAILABLE;
                case BUSY -> ExitCode.TRY_LATER;
            };
        } catch (IOException failed) {
            throw new UserError(ExitCode.UNAVAILABLE, "this machine refuses: " + failed.getMessage() + ".");
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new UserError(ExitCode.INTERRUPTED, "interrupted.");
        }
    }

    private static void show(LocalCluster cluster, Surroundings surroundings)
            throws ClusterProblem, IOException, InterruptedException {
        Terminal terminal = surroundings.terminal();
        terminal.print(table(ClusterStatus.of(cluster)).render(terminal.colours()));
    }

    private static Table table(ClusterStatus status) {
        Table table = new Table("MEMBER", "ADDRESS", "PID", "STATE", "RUNS", "LOG");
        for (ClusterStatus.Row row : status.rows()) {
            table.row(List.of(
                    Table.Cell.of(row.member()),
                    Table.Cell.of(row.address()),
                    Table.Cell.of(
                            row.pid().isPresent() ? Long.toString(row.pid().getAsLong()) : "-"),
                    new Table.Cell(row.state().word(), style(row.state())),
                    Table.Cell.of(
                            row.runs().isPresent() ? Integer.toString(row.runs().getAsInt()) : "-"),
                    Table.Cell.of(row.log())));
        }
        return table;
    }

    private static Table.Style style(ClusterStatus.State state) {
        return switch (state) {
            case READY -> Table.Style.GOOD;
            case ALIVE, SILENT -> Table.Style.BUSY;
            case FROZEN, GONE -> Table.Style.BAD;
        };
    }

    /** {@code vivarium cluster up}. */
    @Command(
            name = "up",
            description = {
                "Starts what does not run yet, prepares the store, and returns when everything is ready.",
                "Safe to repeat: it starts again what was killed, and leaves alone what runs."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class UpCommand implements Callable<Integer> {
        private final Surroundings surroundings;

        @Option(
                names = "--nodes",
                paramLabel = "COUNT",
                description = "How many, up to " + ClusterPlan.NODES_MAX + " (default: as before, at first 3).")
        private @Nullable Integer nodes;

        @Option(
                names = "--http-port",
                paramLabel = "PORT",
                description = "The API's port, at each node's address (default: as before, at first 8080).")
        private @Nullable Integer httpPort;

        @Option(
                names = "--port-base",
                paramLabel = "PORT",
                description = "The first of three ports for what nodes and store say to each other (default: as before,"
                        + " at first 25620).")
        private @Nullable Integer portBase;

        @Option(
                names = "--drain",
                paramLabel = "TIME",
                description = "How long live runs get when a node is stopped (default: as before, at first 30s).")
        private @Nullable String drain;

        @Option(
                names = "--set",
                paramLabel = "KEY=VALUE",
                description = "A key of the nodes' configuration; may be repeated, and is kept for later starts.")
        private Map<String, String> settings = new LinkedHashMap<>();

        @Mixin
        private final FolderOption folder = new FolderOption();

        UpCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws NodeStartException {
            return reportingProblems(surroundings.terminal(), () -> {
                LocalCluster cluster = folder.cluster(surroundings);
                cluster.up(plan(cluster.saved().orElse(ClusterPlan.DEFAULT)));
                show(cluster, surroundings);
                String server = cluster.plan().api(1).toString();
                surroundings
                        .terminal()
                        .note("it is up. Talk to any node, such as VIVARIUM_SERVER=" + server + " vivarium ps; end it"
                                + " with vivarium cluster down.");
                return ExitCode.OK;
            });
        }

        private ClusterPlan plan(ClusterPlan before) {
            Map<String, String> all = new LinkedHashMap<>(before.settings());
            all.putAll(settings);
            if (drain != null) {
                try {
                    TimeSpan.parse(drain);
                } catch (IllegalArgumentException malformed) {
                    throw new UserError(ExitCode.USAGE, "--drain " + malformed.getMessage() + ".");
                }
            }
            return new ClusterPlan(
                    nodes != null ? nodes : before.nodes(),
                    httpPort != null ? httpPort : before.httpPort(),
                    portBase != null ? portBase : before.portBase(),
                    drain != null ? drain : before.drain(),
                    all);
        }
    }

    /** {@code vivarium cluster status}. */
    @Command(
            name = "status",
            description = "Shows every member: where it is, how it is, and how many live runs it holds.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class StatusCommand implements Callable<Integer> {
        private final Surroundings surroundings;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final FolderOption folder = new FolderOption();

        StatusCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws NodeStartException {
            return reportingProblems(surroundings.terminal(), () -> {
                LocalCluster cluster = folder.cluster(surroundings);
                if (!format.isJson()) {
                    show(cluster, surroundings);
                    return ExitCode.OK;
                }
                ObjectNode json = ApiJson.object();
                json.put("folder", cluster.folder().toString());
                json.set("members", ApiJson.tree(ClusterStatus.of(cluster).rows()));
                surroundings.terminal().say(ApiJson.pretty(json));
                return ExitCode.OK;
            });
        }
    }

    /** {@code vivarium cluster down}. */
    @Command(
            name = "down",
            description = {
                "Ends everything, sandboxes too, without waiting for live runs: they go on at the next up, as after a crash.",
                "Nothing stays behind but data and logs."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class DownCommand implements Callable<Integer> {
        private final Surroundings surroundings;

        @Option(names = "--purge", description = "Remove data and logs, too.")
        private boolean purge;

        @Mixin
        private final FolderOption folder = new FolderOption();

        DownCommand(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() throws NodeStartException {
            return reportingProblems(surroundings.terminal(), () -> {
                LocalCluster cluster = folder.cluster(surroundings);
                cluster.down();
                if (purge) {
                    cluster.purge();
                }
                surroundings
                        .terminal()
                        .note("everything has ended; data and logs are "
                                + (purge ? "removed." : "kept in " + cluster.folder() + "."));
                return ExitCode.OK;
            });
        }
    }
}
