package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.protocol.run.RunId;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** A table with a row for each live run. */
final class PostgresRememberedRuns implements RememberedRuns {
    private static final String REMEMBER =
            "INSERT INTO remembered_run (shard, run_id) VALUES (?, ?) ON CONFLICT DO NOTHING";
    private static final String FORGET = "DELETE FROM remembered_run WHERE shard = ? AND run_id = ?";
    private static final String ALL = "SELECT run_id FROM remembered_run WHERE shard = ?";
    private static final String SHARDS = "SELECT DISTINCT shard FROM remembered_run";

    private final Database database;

    PostgresRememberedRuns(Database database) {
        this.database = database;
    }

    @Override
    public Changes changes() {
        return Changes.WITH_EVENTS;
    }

    @Override
    public CompletionStage<Done> remember(String shard, RunId run) {
        return change("remember a run", REMEMBER, shard, run);
    }

    @Override
    public CompletionStage<Done> forget(String shard, RunId run) {
        return change("forget a run", FORGET, shard, run);
    }

    private CompletionStage<Done> change(String what, String sql, String shard, RunId run) {
        return database.transact(what, connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setString(1, shard);
                statement.setString(2, run.value());
                statement.executeUpdate();
                return Done.getInstance();
            }
        });
    }

    @Override
    public CompletionStage<Set<RunId>> in(String shard) {
        return database.transact("list the remembered runs of shard " + shard, connection -> {
            try (PreparedStatement statement = connection.prepareStatement(ALL)) {
                statement.setString(1, shard);
                try (ResultSet rows = statement.executeQuery()) {
                    Set<RunId> runs = new HashSet<>();
                    while (rows.next()) {
                        runs.add(new RunId(rows.getString(1)));
                    }
                    return runs;
                }
            }
        });
    }

    @Override
    public CompletionStage<Set<String>> shards() {
        return database.transact("list the shards of remembered runs", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(SHARDS);
                    ResultSet rows = statement.executeQuery()) {
                Set<String> shards = new HashSet<>();
                while (rows.next()) {
                    shards.add(rows.getString(1));
                }
                return shards;
            }
        });
    }
}
