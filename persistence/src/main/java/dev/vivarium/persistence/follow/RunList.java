package dev.vivarium.persistence.follow;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The list of runs: each row is the run as the API shows it. */
public final class RunList implements Projection<RunView> {
    /** To be raised with the shape of {@link RunView}: all rows are then made again. */
    private static final int VERSION = 2;

    /** A newer node may have written more than this one knows; what this one needs is still there. */
    private static final ObjectReader READER =
            JournalJson.MAPPER.readerFor(RunView.class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private static final String FILES_PEAK = "filesPeak";

    private final int version;

    /** The list as this version of the code makes it. */
    public RunList() {
        this(VERSION);
    }

    /** The list under another version's number, to try what an upgrade does. */
    public RunList(int version) {
        this.version = version;
    }

    @Override
    public String name() {
        return "run-view";
    }

    @Override
    public int version() {
        return version;
    }

    @Override
    public RunView after(Optional<RunView> before, RunEvent event) {
        return before.map(view -> view.after(event)).orElseGet(() -> first(event));
    }

    private static RunView first(RunEvent event) {
        return RunView.of((RunState.Existing) RunState.initial().after(event));
    }

    /** The labels that a run is found by: its own, and its tenant's. */
    public static Map<String, String> labels(RunSpec spec) {
        return found(spec.labels());
    }

    /** The labels that a listed run is found by. */
    public static Map<String, String> labels(RunView view) {
        return found(view.spec().labels());
    }

    /** A row's content as stores keep it. */
    public static String write(RunView view) {
        try {
            return JournalJson.MAPPER.writeValueAsString(view);
        } catch (JsonProcessingException notWritable) {
            throw new IllegalStateException("A run's view has a JSON form.", notWritable);
        }
    }

    /**
     * What {@link #write} wrote.
     *
     * @throws IllegalStateException when it was written by a version that this one cannot read
     */
    public static RunView read(String json) {
        try {
            return READER.treeToValue(withFilesPeak(READER.readTree(json)), RunView.class);
        } catch (JsonProcessingException unreadable) {
            throw new IllegalStateException("The list of runs holds a run that this node cannot read.", unreadable);
        }
    }

    /** Rows of version 1 lack the most files that there were, and are read until they are made again. */
    private static JsonNode withFilesPeak(JsonNode row) {
        if (row.path("usage") instanceof ObjectNode usage && !usage.has(FILES_PEAK)) {
            usage.put(FILES_PEAK, 0);
        }
        return row;
    }

    private static Map<String, String> found(Map<String, String> own) {
        Map<String, String> labels = new TreeMap<>(own);
        labels.putIfAbsent(RunSpec.TENANT_LABEL, Tenant.DEFAULT.name());
        return labels;
    }
}
