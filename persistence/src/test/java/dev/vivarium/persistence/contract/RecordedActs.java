package dev.vivarium.persistence.contract;

import dev.vivarium.persistence.journal.ActCodec;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.journal.JournalEntryFormat;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.act.Act.Removal;
import dev.vivarium.protocol.act.ActId;
import dev.vivarium.protocol.act.Positions;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Webhook;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Administrative acts as earlier versions have written them, byte by byte, and those of this version to be recorded. */
public final class RecordedActs {
    private static final List<String> FILES = List.of(
            "recorded-acts-1.txt",
            "recorded-acts-2.txt",
            "recorded-acts-3.txt",
            "recorded-acts-4.txt",
            "recorded-acts-5.txt",
            "recorded-acts-6.txt",
            "recorded-acts-7.txt",
            "recorded-acts-8.txt");
    private static final Tenant TENANT = new Tenant("research");
    private static final RunId RUN = new RunId("01k0r000000000000000000000");
    private static final TokenId TOKEN = new TokenId("0123456789abcdef");
    private static final TokenId EARLIER = new TokenId("0000000000000001");
    private static final Principal OPERATOR = new Principal(Principal.Kind.TOKEN, "ops");
    private static final Origin ORIGIN =
            new Origin(new Tenant("platform"), Optional.of(EARLIER), Optional.of("192.0.2.7"));

    private RecordedActs() {}

    /** An entry of the journal, and the act that it is the chain of. */
    public record Recorded(ActId id, Blob bytes) {
        public JournalEntry entry() {
            return JournalEntryFormat.read(JournalEntryFormat.MANIFEST, bytes.toByteArray());
        }
    }

    /** A token made for a tenant by an operator of another one. */
    public static Act.TokenCreated tokenCreated(Instant at, Tenant tenant) {
        return new Act.TokenCreated(
                at,
                "node-1",
                OPERATOR,
                ORIGIN,
                tenant,
                TOKEN,
                "ci",
                Role.SUBMITTER,
                at.plus(Duration.ofDays(90)),
                Optional.empty());
    }

    /** Each type of act, with all that it may have or lack. */
    static List<Act> todays(Instant at) {
        List<Act> acts = new ArrayList<>(List.of(
                new Act.NodeJoined(at, "node-1", Optional.of("10.0.0.1:25520")),
                new Act.NodeJoined(at, "node-1", Optional.empty()),
                new Act.NodeDrained(at, "node-1", Principal.LOCAL_OPERATOR),
                new Act.NodeRemoved(at, "node-1", "node-2", "10.0.0.2:25520", Removal.LEFT),
                new Act.NodeRemoved(at, "node-1", "node-2", "10.0.0.2:25520", Removal.GIVEN_UP),
                new Act.SandboxesReaped(at, "node-1", 2, List.of("01k00000000000000000000001")),
                new Act.DataDeleted(at, "node-1", TENANT, Act.Data.OUTPUT, 7, TimeSpan.parse("720h")),
                new Act.DataDeleted(at, "node-1", TENANT, Act.Data.ARTIFACTS, 1, TimeSpan.parse("1m")),
                new Act.RunsDeleted(
                        at,
                        "node-1",
                        TENANT,
                        TimeSpan.parse("8760h"),
                        Positions.parse("3-7,9"),
                        List.of(new Act.DeletedRun(new RunId("01k00000000000000000000001"), 6, "00".repeat(32)))),
                new Act.RunDataDeleted(at, "node-1", OPERATOR, ORIGIN, TENANT, RUN, Act.Data.OUTPUT),
                new Act.RunDataDeleted(at, "node-1", OPERATOR, ORIGIN, TENANT, RUN, Act.Data.ARTIFACTS),
                new Act.BlobDeleted(at, "node-1", OPERATOR, ORIGIN, TENANT, Digest.of(Blob.ofUtf8("content"))),
                new Act.TokenRevoked(at, "node-1", OPERATOR, ORIGIN, TENANT, TOKEN, at.plusSeconds(60)),
                new Act.QuotasSet(
                        at,
                        "node-1",
                        OPERATOR,
                        ORIGIN,
                        TENANT,
                        Map.of("runs", 5L, "memory", Long.MAX_VALUE),
                        List.of("disk")),
                new Act.WebhookSet(at, "node-1", OPERATOR, ORIGIN, TENANT, Optional.empty()),
                new Act.WebhookSet(
                        at,
                        "node-1",
                        OPERATOR,
                        ORIGIN,
                        TENANT,
                        Optional.of(new Webhook("https://hooks.example.com/", Webhook.ALL_EVENTS))),
                new Act.WebhookKeyMade(at, "node-1", OPERATOR, ORIGIN, TENANT, "00112233445566778899aabbccddeeff"),
                new Act.SecretPut(at, "node-1", OPERATOR, ORIGIN, TENANT, new SecretName("git-token"), 7),
                new Act.SecretRemoved(at, "node-1", OPERATOR, ORIGIN, TENANT, new SecretName("git-token")),
                new Act.HoldPut(at, "node-1", OPERATOR, ORIGIN, TENANT, Optional.empty()),
                new Act.HoldPut(at, "node-1", OPERATOR, ORIGIN, TENANT, Optional.of("case 4711")),
                new Act.HoldRemoved(at, "node-1", OPERATOR, ORIGIN, TENANT),
                new Act.LogExported(at, "node-1", OPERATOR, ORIGIN, List.of("research"), 17, 4_711),
                new Act.LogCheckBegun(at, "node-1", OPERATOR, new Origin(TENANT, Optional.empty(), Optional.empty()))));
        acts.add(tokenCreated(at, TENANT));
        for (Role role : Role.values()) {
            acts.add(new Act.TokenCreated(
                    at, "node-1", OPERATOR, ORIGIN, TENANT, TOKEN, "ci", role, at, Optional.of(EARLIER)));
        }
        for (Principal.Kind kind : Principal.Kind.values()) {
            acts.add(new Act.NodeDrained(at, "node-1", new Principal(kind, "ops")));
        }
        return acts;
    }

    /** All that were recorded. */
    public static List<Recorded> all() {
        return FILES.stream().flatMap(file -> read(file).stream()).toList();
    }

    private static List<Recorded> read(String file) {
        try (InputStream text = Objects.requireNonNull(RecordedActs.class.getResourceAsStream(file))) {
            return Arrays.stream(new String(text.readAllBytes(), StandardCharsets.UTF_8).split("\n"))
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(" "))
                    .map(words -> new Recorded(
                            new ActId(words[0]), Blob.of(Base64.getDecoder().decode(words[1]))))
                    .toList();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Records the acts of this version: the file to write, and the ten characters that its ids begin with. */
    public static void main(String[] arguments) throws IOException {
        List<String> lines = new ArrayList<>(List.of(
                "# Administrative acts byte by byte, as the journal has them, in base64. Never to be changed."));
        int n = 0;
        for (Act act : todays(Instant.parse("2026-12-02T03:00:00.123Z"))) {
            ActId id = new ActId(arguments[1] + "%016d".formatted(n++));
            lines.add(
                    id + " " + Base64.getEncoder().encodeToString(JournalEntryFormat.write(ActCodec.encode(id, act))));
        }
        Files.write(Path.of(arguments[0]), lines);
    }
}
