package dev.vivarium.protocol.api;

import java.util.List;
import java.util.Optional;

/**
 * One page of runs, newest first.
 *
 * @param runs the runs of this page
 * @param next the cursor of the next page; empty on the last one
 */
public record RunPage(List<RunView> runs, Optional<String> next) {
    public RunPage {
        runs = List.copyOf(runs);
    }
}
