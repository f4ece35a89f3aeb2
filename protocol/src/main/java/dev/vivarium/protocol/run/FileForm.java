package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the content of a run's file is used. */
public enum FileForm {
    /** As the content of one file. */
    @JsonProperty("file")
    FILE,
    /** As a tar archive, plain or in gzip, which is unpacked into a folder of this name. */
    @JsonProperty("archive")
    ARCHIVE
}
