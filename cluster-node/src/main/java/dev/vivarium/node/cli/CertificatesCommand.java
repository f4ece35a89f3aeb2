package dev.vivarium.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.certificates.Authority;
import dev.vivarium.node.certificates.Authority.Issued;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.FormatOption;
import dev.vivarium.terminal.Table;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.UserError;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code vivarium certificates}. */
@Command(
        name = "certificates",
        description = {
            "Makes and renews the certificates by which the nodes of a cluster know each other.",
            "An authority of its own for each cluster, in one folder: authority.crt, revoked.crl, and NAME.crt and NAME.key for"
                    + " each node. Nodes need these, and use replaced files without a restart; authority.key stays where"
                    + " certificates are made. `vivarium cluster up` does all this by itself."
        },
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Exit codes: 0 done; 2 wrong usage; 66 no authority or certificate there; 69 a file cannot be read or written.",
            "",
            "Example:",
            "  vivarium certificates init --cluster agents node-1 node-2 node-3",
            "  vivarium certificates renew                   # each month, by a timer",
            "  vivarium certificates revoke node-2"
        })
final class CertificatesCommand implements Runnable {
    private static final Pattern SERIAL = Pattern.compile("[0-9a-fA-F]{8,40}");
    private static final int HEXADECIMAL = 16;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
    private CommandSpec spec;

    /** The command with its own commands. */
    static CommandLine withAll(Surroundings surroundings) {
        return new CommandLine(new CertificatesCommand())
                .addSubcommand(new Init(surroundings))
                .addSubcommand(new Renew(surroundings))
                .addSubcommand(new Revoke(surroundings))
                .addSubcommand(new ListCertificates(surroundings));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    private static String serial(X509Certificate certificate) {
        return certificate.getSerialNumber().toString(HEXADECIMAL);
    }

    private static String described(String name, X509Certificate certificate) {
        return name + ": " + serial(certificate) + ", valid until "
                + certificate.getNotAfter().toInstant();
    }

    private static String named(String name) {
        Authority.objection(name).ifPresent(objection -> {
            throw new UserError(ExitCode.USAGE, objection + ".");
        });
        return name;
    }

    /** Work in the folder of an authority. */
    private interface Work {
        void on(Path folder) throws NodeStartException, IOException;
    }

    /** The folder of an authority. */
    static final class FolderOption {
        @Option(
                names = "--folder",
                paramLabel = "DIR",
                description = "Where the authority is (default: $$VIVARIUM_HOME/certificates).")
        private @Nullable Path folder;

        private int with(Surroundings surroundings, Work work) {
            Path chosen = folder != null ? folder : surroundings.home().resolve("certificates");
            try {
                work.on(chosen.toAbsolutePath().normalize());
                return ExitCode.OK;
            } catch (NodeStartException unusable) {
                throw new UserError(ExitCode.UNAVAILABLE, String.valueOf(unusable.getMessage()));
            } catch (IOException failed) {
                throw new UserError(ExitCode.UNAVAILABLE, "this machine refuses: " + failed.getMessage() + ".");
            }
        }
    }

    private static Authority authority(Path folder, Surroundings surroundings) throws NodeStartException {
        return Authority.in(folder, surroundings.clock())
                .orElseThrow(() -> new UserError(
                        ExitCode.NOT_FOUND,
                        "there is no authority in " + folder + ": `vivarium certificates init` makes one."));
    }

    private static Issued issued(Authority authority, String name) throws NodeStartException {
        return authority
                .issued(named(name))
                .orElseThrow(() -> new UserError(
                        ExitCode.NOT_FOUND,
                        "there is no certificate of " + name + ": `vivarium certificates init " + name
                                + "` issues one."));
    }

    /** {@code vivarium certificates init}. */
    @Command(
            name = "init",
            description = {
                "Makes the authority and a certificate for each name, where they are missing.",
                "Safe to repeat, with further names; changes nothing that is there."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Init implements Callable<Integer> {
        private static final Pattern DAYS = Pattern.compile("([0-9]{1,5})d");
        private static final Duration LIFE_MIN = Duration.ofHours(1);

        private final Surroundings surroundings;

        @Parameters(
                arity = "0..*",
                paramLabel = "NAME",
                description = "Nodes, by vivarium.cluster.node-name; without one: node, a certificate for all of them.")
        private List<String> names = new ArrayList<>();

        @Option(
                names = "--cluster",
                paramLabel = "NAME",
                defaultValue = "vivarium",
                description =
                        "A name that all certificates of a new authority share (default: ${DEFAULT-VALUE}). Without it in"
                                + " common, nodes refuse each other.")
        private String cluster = "vivarium";

        @Option(
                names = "--host",
                paramLabel = "HOST",
                description = "A further name or address in the certificates; may be repeated.")
        private List<String> hosts = new ArrayList<>();

        @Option(
                names = "--expires",
                paramLabel = "TIME",
                defaultValue = "365d",
                description = "How long they hold (default: ${DEFAULT-VALUE}). The authority holds for ten years.")
        private String expires = "365d";

        @Mixin
        private final FolderOption folder = new FolderOption();

        Init(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() {
            Duration life = life();
            named(cluster);
            List<String> wanted = names.isEmpty() ? List.of("node") : names;
            wanted.forEach(CertificatesCommand::named);
            return folder.with(surroundings, chosen -> {
                Authority authority = Authority.of(chosen, cluster, surroundings.clock());
                Terminal terminal = surroundings.terminal();
                for (String name : wanted) {
                    Optional<Issued> present = authority.issued(name);
                    if (present.isPresent()) {
                        terminal.note("there is a certificate of " + name + " already; `vivarium certificates renew "
                                + name + "` replaces it.");
                    } else {
                        terminal.say(described(name, authority.issue(name, hosts, life)));
                    }
                }
                String first = wanted.get(0);
                terminal.note("give each node its own, and keep authority.key off them: vivarium.cluster.tls"
                        + " { certificate = \"" + authority.certificateFile(first) + "\", key = \""
                        + authority.keyFile(first) + "\", authority = \"" + authority.certificateFile()
                        + "\", revoked = \"" + authority.revokedFile() + "\" }");
            });
        }

        private Duration life() {
            try {
                Matcher days = DAYS.matcher(expires);
                Duration life = days.matches()
                        ? Duration.ofDays(Long.parseLong(days.group(1)))
                        : TimeSpan.parse(expires).duration();
                if (life.compareTo(LIFE_MIN) >= 0) {
                    return life;
                }
            } catch (IllegalArgumentException malformed) {
                throw new UserError(ExitCode.USAGE, "--expires " + malformed.getMessage() + ".");
            }
            throw new UserError(ExitCode.USAGE, "--expires must be at least 1h.");
        }
    }

    /** {@code vivarium certificates renew}. */
    @Command(
            name = "renew",
            description = {
                "Replaces certificates and their keys: those named, or all whose last third has begun or that are revoked.",
                "Nodes use the new ones without a restart. The old ones hold until they end or are revoked."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Renew implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(arity = "0..*", paramLabel = "NAME", description = "Those to replace, whatever their age.")
        private List<String> names = new ArrayList<>();

        @Mixin
        private final FolderOption folder = new FolderOption();

        Renew(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() {
            return folder.with(surroundings, chosen -> {
                Authority authority = authority(chosen, surroundings);
                List<Issued> due = new ArrayList<>();
                if (names.isEmpty()) {
                    authority.issued().stream().filter(authority::isDue).forEach(due::add);
                } else {
                    for (String name : names) {
                        due.add(issued(authority, name));
                    }
                }
                for (Issued one : due) {
                    surroundings.terminal().say(described(one.name(), authority.renew(one)));
                }
                if (due.isEmpty()) {
                    surroundings.terminal().note("no certificate is due.");
                }
            });
        }
    }

    /** {@code vivarium certificates revoke}. */
    @Command(
            name = "revoke",
            description = {
                "Revokes a certificate for good: nodes that have the new revoked.crl refuse it, and end the connections of its"
                        + " node.",
                "`vivarium certificates renew` issues another one."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class Revoke implements Callable<Integer> {
        private final Surroundings surroundings;

        @Parameters(
                paramLabel = "NAME|SERIAL",
                description = "The last certificate of a node, or one by its serial number (hexadecimal), as in logs.")
        private String which = "";

        @Mixin
        private final FolderOption folder = new FolderOption();

        Revoke(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() {
            return folder.with(surroundings, chosen -> {
                Authority authority = authority(chosen, surroundings);
                boolean known = Authority.objection(which).isEmpty()
                        && authority.issued(which).isPresent();
                BigInteger serial = !known && SERIAL.matcher(which).matches()
                        ? new BigInteger(which, HEXADECIMAL)
                        : issued(authority, which).certificate().getSerialNumber();
                authority.revoke(serial);
                surroundings
                        .terminal()
                        .say(serial.toString(HEXADECIMAL) + " is revoked: nodes that have this "
                                + authority.revokedFile() + " refuse it.");
            });
        }
    }

    /** {@code vivarium certificates list}. */
    @Command(
            name = "list",
            description = "Lists the certificates of the folder.",
            mixinStandardHelpOptions = true,
            sortOptions = false)
    static final class ListCertificates implements Callable<Integer> {
        private final Surroundings surroundings;

        @Mixin
        private final FormatOption format = new FormatOption();

        @Mixin
        private final FolderOption folder = new FolderOption();

        ListCertificates(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public Integer call() {
            return folder.with(surroundings, chosen -> {
                Authority authority = authority(chosen, surroundings);
                if (format.isJson()) {
                    surroundings.terminal().say(ApiJson.pretty(json(authority)));
                    return;
                }
                Table table = new Table("NAME", "SERIAL", "EXPIRES", "STATE");
                for (Issued issued : authority.issued()) {
                    table.row(
                            issued.name(),
                            serial(issued.certificate()),
                            issued.certificate().getNotAfter().toInstant().toString(),
                            state(authority, issued));
                }
                surroundings
                        .terminal()
                        .print(table.render(surroundings.terminal().colours()));
            });
        }

        private static ObjectNode json(Authority authority) throws NodeStartException, IOException {
            ObjectNode json = ApiJson.object();
            json.put("cluster", authority.cluster());
            ArrayNode certificates = json.putArray("certificates");
            for (Issued issued : authority.issued()) {
                certificates
                        .addObject()
                        .put("name", issued.name())
                        .put("serial", serial(issued.certificate()))
                        .put(
                                "expiresAt",
                                issued.certificate().getNotAfter().toInstant().toString())
                        .put("state", state(authority, issued));
            }
            return json;
        }

        private static String state(Authority authority, Issued issued) {
            if (issued.revoked()) {
                return "revoked";
            }
            return authority.isDue(issued) ? "due" : "good";
        }
    }
}
