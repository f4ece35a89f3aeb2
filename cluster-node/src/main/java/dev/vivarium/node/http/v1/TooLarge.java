package dev.vivarium.node.http.v1;

import dev.vivarium.node.placement.Capacity;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import java.util.ArrayList;
import java.util.List;

/** The largest amounts that a run may ask for, by limit. */
final class TooLarge {
    private TooLarge() {}

    static List<FieldError> errors(Capacity largest) {
        List<FieldError> errors = new ArrayList<>();
        if (largest.memoryBytes() != Capacity.UNLIMITED) {
            errors.add(new FieldError(
                    "limits.memory",
                    "must be at most " + new ByteSize(largest.memoryBytes())
                            + " together with a limits.disk that is in memory, which is all that the largest"
                            + " node has for runs"));
        }
        if (largest.diskBytes() != Capacity.UNLIMITED && largest.diskBytes() != 0) {
            errors.add(new FieldError(
                    "limits.disk",
                    "must be at most " + new ByteSize(largest.diskBytes())
                            + ", which is all that the largest node has on its disk for runs"));
        }
        if (largest.millicores() != Capacity.UNLIMITED) {
            errors.add(new FieldError(
                    "limits.cpu",
                    "must be at most " + new CpuQuota(largest.millicores())
                            + ", which is all that the largest node has for runs"));
        }
        if (largest.processes() != Capacity.UNLIMITED && largest.processes() != 0) {
            errors.add(new FieldError(
                    "limits.pids",
                    "must fit, with what the sandbox itself needs, into " + largest.processes()
                            + " processes, which is all that the largest node has for runs"));
        }
        if (largest.openFiles() != Capacity.UNLIMITED && largest.openFiles() != 0) {
            errors.add(new FieldError(
                    "limits.openFiles",
                    "must fit, times limits.pids or with a file for each 10 KiB of limits.memory and limits.disk, into "
                            + largest.openFiles() + " open files, which is all that the largest node has for runs"));
        }
        return errors;
    }
}
