package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.LocalServer;
import dev.vivarium.node.MachineExaminer;
import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.machine.Finding;
import dev.vivarium.node.machine.Level;
import dev.vivarium.node.machine.MachineReport;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium doctor}. */
@Command(
        name = "doctor",
        description = {
            "Says what this machine has for sandboxes, what is weak about it, and what to do.",
            "Needs no node and no root, and changes nothing; what it could not read it says. Versions of kernel,"
                    + " engine and runtimes are held against a dated list of known holes."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Levels: ok; note, worth knowing; warning, weaker or smaller than it could be; problem, sandboxes do not"
                    + " work here",
            "or do not hold.",
            "",
            "Exit codes: 0 no problem; 1 a problem; 2 wrong usage; 66 no such file; 69 the configuration is invalid.",
            "",
            "Examples:",
            "  vivarium doctor",
            "  vivarium doctor --config node.conf -o json"
        })
final class DoctorCommand implements Callable<Integer> {
    private static final int TEXT_COLUMNS_MIN = 40;
    private static final int GAP_COLUMNS = 2;

    private final Surroundings surroundings;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8080",
            description = "The port that a node would have (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "The address that it would listen on (default: ${DEFAULT-VALUE}).")
    private String host = "127.0.0.1";

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Where it would keep what must last (default: $$VIVARIUM_HOME/data).")
    private @Nullable Path data;

    @Option(names = "--config", paramLabel = "FILE", description = "Its configuration file (HOCON).")
    private @Nullable Path config;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "A key of its configuration; may be repeated. reference.conf explains them all.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    @Option(names = "--json", description = "The same as -o json.")
    private boolean json;

    @Mixin
    private final FormatOption format = new FormatOption();

    DoctorCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws NodeStartException {
        if (port < 0 || port > 65_535) {
            throw new UserError(ExitCode.USAGE, "--port must be from 0 to 65535.");
        }
        if (config != null && !Files.isReadable(config)) {
            throw new UserError(ExitCode.NOT_FOUND, "--config " + config + ": there is no such file.");
        }
        Path dataDir = data != null ? data : surroundings.home().resolve("data");
        MachineExaminer examiner = ServiceLoader.load(MachineExaminer.class)
                .findFirst()
                .orElseThrow(() -> new NodeStartException("This build holds no node, only the client."));
        MachineReport report = examiner.examine(new NodeOptions(
                host,
                port,
                dataDir.toAbsolutePath(),
                Credentials.fileIn(surroundings.home()),
                LocalServer.socketIn(surroundings.home()),
                Optional.ofNullable(config),
                overrides));
        Terminal terminal = surroundings.terminal();
        if (json || format.isJson()) {
            terminal.say(ApiJson.pretty(json(report)));
        } else {
            terminal.print(table(report, terminal));
            terminal.say(conclusion(report));
        }
        return report.worst() == Level.PROBLEM ? ExitCode.UNEXPECTED : ExitCode.OK;
    }

    private static ObjectNode json(MachineReport report) {
        ObjectNode json = ApiJson.object();
        json.put("level", report.worst().word());
        json.put("holesKnownOn", report.holesKnownOn().toString());
        ArrayNode findings = json.putArray("findings");
        for (Finding finding : report.findings()) {
            findings.addObject()
                    .put("level", finding.level().word())
                    .put("part", finding.part())
                    .put("found", finding.found())
                    .put("remedy", finding.remedy());
        }
        return json;
    }

    /** Sentences do not fit into columns, so each finding takes as many lines as it needs. */
    private static String table(MachineReport report, Terminal terminal) {
        int columns = terminal.columns() - width(report);
        Table table = new Table("LEVEL", "PART", "WHAT WAS FOUND, AND WHAT TO DO");
        for (Finding finding : report.findings()) {
            List<String> lines = new ArrayList<>(wrapped(finding.found(), columns));
            if (!finding.remedy().isEmpty()) {
                lines.addAll(wrapped("-> " + finding.remedy(), columns));
            }
            table.row(List.of(
                    new Table.Cell(finding.level().word(), style(finding.level())),
                    Table.Cell.of(finding.part()),
                    Table.Cell.of(lines.get(0))));
            lines.stream().skip(1).forEach(line -> table.row("", "", line));
        }
        return table.render(terminal.colours());
    }

    private static int width(MachineReport report) {
        int parts = report.findings().stream()
                .mapToInt(finding -> finding.part().length())
                .max()
                .orElse(0);
        return Level.PROBLEM.word().length() + parts + 2 * GAP_COLUMNS;
    }

    private static Table.Style style(Level level) {
        return switch (level) {
            case OK -> Table.Style.GOOD;
            case NOTE -> Table.Style.FAINT;
            case WARNING -> Table.Style.BUSY;
            case PROBLEM -> Table.Style.BAD;
        };
    }

    private static List<String> wrapped(String text, int columns) {
        int most = Math.max(columns, TEXT_COLUMNS_MIN);
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > most) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }

    private static String conclusion(MachineReport report) {
        long problems = count(report, Level.PROBLEM);
        long warnings = count(report, Level.WARNING);
        long notes = count(report, Level.NOTE);
        return "\n" + problems + " problem" + (problems == 1 ? "" : "s") + ", " + warnings + " warning"
                + (warnings == 1 ? "" : "s") + ", " + notes + " note" + (notes == 1 ? "" : "s")
                + ". Holes are those known on " + report.holesKnownOn() + ".";
    }

    private static long count(MachineReport report, Level level) {
        return report.findings().stream()
                .filter(finding -> finding.level() == level)
                .count();
    }
}
