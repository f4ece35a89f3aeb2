package dev.vivarium.node.http.v1;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import java.util.ArrayList;
import java.util.List;

/** What a run may ask for at most, in the words of its limits. */
final class TooLarge {
    private TooLarge() {}

    static List<FieldError> errors(Capacity largest) {
        List<FieldError> errors = new ArrayList<>();
        if (largest.memoryBytes() != Capacity.UNLIMITED) {
            errors.add(new FieldError(
                    "limits.memory",
                    "must be at most " + new ByteSize(largest.memoryBytes())
                            + " together with limits.disk, which is all that the largest node has for runs"));
        }
        if (largest.millicores() != Capacity.UNLIMITED) {
            errors.add(new FieldError(
                    "limits.cpu",
                    "must be at most " + new CpuQuota(largest.millicores())
                            + ", which is all that the largest node has for runs"));
        }
        return errors;
    }
}
