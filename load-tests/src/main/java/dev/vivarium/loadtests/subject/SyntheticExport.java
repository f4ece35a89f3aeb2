package dev.vivarium.loadtests.subject;

import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.RangeRoot;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An export as a node writes it, of as many events as one wants: runs of four events each, with the payloads that a node
 * wrote for a short run, so many at a time that their events are mixed.
 */
public final class SyntheticExport {
    private static final int RUNS_AT_A_TIME = 64;
    private static final List<Form> RUN = List.of(
            new Form(
                    "RunSubmitted",
                    13,
                    """
                    {"type":"RunSubmitted","at":"2026-12-02T18:48:29.398Z","by":"local:operator","node":"node-1","origin":\
                    {"address":"127.0.0.1","tenant":"default","token":null},"runId":"ID","spec":{"artifacts":[],"command":\
                    ["true"],"egress":{"allow":[],"inject":[],"mode":"none"},"env":{},"files":{},"image":"vivarium/python",\
                    "isolation":"container","labels":{"purpose":"benchmark","tenant":"default"},"limits":{"artifacts":"64Mi",\
                    "cpu":"1","cpuTime":"5m31s","disk":"256Mi","egressBytes":"1Gi","egressRequests":1000,"files":32768,"grace":\
                    "25ms","idle":"5m","memory":"256Mi","openFiles":4096,"output":"10Mi","pids":128,"sharedMemory":"64Mi",\
                    "wallClock":"5m"},"maxAttempts":3,"namedSecrets":{},"onNodeLoss":"restart","secrets":{"ciphertext":"",\
                    "names":[]},"tenant":"default","warning":null,"webhook":null,"workdir":"/workspace"},"submission":\
                    "a084eff25bd6c57720bdce1a9b57e048ce89d0709a6b7ba549cc647b029d38e9"}"""),
            new Form(
                    "AttemptStarting",
                    1,
                    """
                    {"type":"AttemptStarting","at":"2026-12-02T18:48:29.418Z","attempt":1,"node":"node-1"}"""),
            new Form(
                    "AttemptStarted",
                    2,
                    """
                    {"type":"AttemptStarted","at":"2026-12-02T18:48:29.556Z","attempt":1,"node":"node-1","sandbox":\
                    "01m8w1cdhr4n3ja7h61k9m3psr","start":{"birth":"COLD","preparationMicros":13979,"processMicros":11536,\
                    "sandboxMicros":30508}}"""),
            new Form(
                    "RunSucceeded",
                    3,
                    """
                    {"type":"RunSucceeded","at":"2026-12-02T18:48:29.607Z","attempt":1,"node":"node-1","usage":{"cpuMillis":0,\
                    "diskPeakBytes":0,"filesPeak":0,"graceMillis":0,"memoryPeakBytes":0,"outputBytes":0,"pidsPeak":1,\
                    "sharedMemoryPeakBytes":0,"wallMillis":12}}"""));

    private final LogKeys keys =
            LogKeys.parse(LogKey.create("vivarium.dev/bench").text());
    private final RangeRoot tree = new RangeRoot(0, List.of());
    private final byte[][] heads = new byte[RUNS_AT_A_TIME][];
    private final int[] hashed;

    /** An event of a run. */
    private record Form(String type, int version, String payload) {
        ExportLine.Event of(RunId run, long position, int seq, byte[] previous) {
            return new ExportLine.Event(
                    position,
                    run,
                    seq,
                    type,
                    version,
                    HexFormat.of().formatHex(previous),
                    Optional.of(payload.replace("ID", run.value())),
                    Optional.empty(),
                    Optional.empty());
        }
    }

    private SyntheticExport(int events) {
        this.hashed = new int[events];
    }

    /** Writes one. */
    public static SyntheticExport write(Path file, int events) throws IOException {
        SyntheticExport export = new SyntheticExport(events);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
            export.write(out);
        }
        return export;
    }

    private void write(OutputStream out) throws IOException {
        write(out, new ExportLine.Begin(ExportLine.FORMAT, 0, hashed.length, Map.of(), List.of()));
        for (int position = 0; position < hashed.length; position++) {
            write(out, event(position));
        }
        String checkpoint = keys.sign(hashed.length, tree.root(hashed.length).orElseThrow());
        write(out, new ExportLine.End(0, hashed.length, List.of(), checkpoint));
    }

    private static void write(OutputStream out, ExportLine line) throws IOException {
        out.write(ApiJson.bytes(ApiJson.tree(line)));
        out.write('\n');
    }

    private ExportLine.Event event(int position) {
        int place = position % RUNS_AT_A_TIME;
        int turn = position / RUNS_AT_A_TIME;
        int step = turn % RUN.size();
        RunId run = new RunId(String.format("01m8w1%020d", (long) turn / RUN.size() * RUNS_AT_A_TIME + place));
        byte[] previous = step == 0 ? Verify.genesis(run.value()) : heads[place];
        ExportLine.Event event = RUN.get(step).of(run, position, step + 1, previous);
        byte[] payload = event.payload().orElseThrow().getBytes(StandardCharsets.UTF_8);
        byte[] hash = Verify.eventHash(previous, event.type(), event.version(), payload);
        byte[] leaf = Verify.leafHash(Verify.leaf(run.value(), event.seq(), hash));
        heads[place] = hash;
        tree.append(leaf);
        hashed[position] = 5 * Integer.BYTES + previous.length + event.type().length() + payload.length;
        return new ExportLine.Event(
                position,
                run,
                event.seq(),
                event.type(),
                event.version(),
                event.previousHash(),
                event.payload(),
                Optional.empty(),
                Optional.of(Base64.getEncoder().encodeToString(leaf)));
    }

    /** The keys that it is verified with. */
    public List<Verify.Key> keys() {
        return keys.verifiers();
    }

    /** How many events it has. */
    public int events() {
        return hashed.length;
    }

    /** How many bytes the hash of an event is over. */
    int hashed(int position) {
        return hashed[position];
    }
}
