package dev.vivarium.persistence.follow;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The list of runs: each row is the run as the API shows it. */
public final class RunList implements Projection<RunView> {
    /** Raise it when the shape of {@link RunView} changes; an additional limit raises the version automatically. */
    private static final int SHAPE = 2;

    private static final int LIMITS_MAX = 100;

    /** If it differs from the rows' version, all rows are rebuilt. */
    private static final int VERSION = SHAPE * LIMITS_MAX + Limit.ALL.size();

    /**
     * A newer node may have written additional fields, which are ignored. Rows from before a limit existed lack it, and are
     * readable until they are rebuilt.
     */
    private static final ObjectReader READER =
            JournalJson.MAPPER.readerFor(RunView.class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private final int version;

    /** The list in this version's form. */
    public RunList() {
        this(VERSION);
    }

    /** The list under another version number, to test an upgrade. */
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

    /** The labels by which a run is found: its own and its tenant's. */
    public static Map<String, String> labels(RunSpec spec) {
        return found(spec.labels());
    }

    /** The labels by which a listed run is found. */
    public static Map<String, String> labels(RunView view) {
        return found(view.spec().labels());
    }

    /** The stored form of a row. */
    public static String write(RunView view) {
        try {
            return JournalJson.MAPPER.writeValueAsString(view);
        } catch (JsonProcessingException notWritable) {
            throw new IllegalStateException("A run's view has a JSON form.", notWritable);
        }
    }

    /**
     * Reads the text of {@link #write}.
     *
     * @throws IllegalStateException when it comes from a version that this one cannot read
     */
    public static RunView read(String json) {
        try {
            return READER.readValue(json);
        } catch (JsonProcessingException unreadable) {
            throw new IllegalStateException("The list of runs contains a run that this node cannot read.", unreadable);
        }
    }

    private static Map<String, String> found(Map<String, String> own) {
        Map<String, String> labels = new TreeMap<>(own);
        labels.putIfAbsent(RunSpec.TENANT_LABEL, Tenant.DEFAULT.name());
        return labels;
    }
}
