package dev.vivarium.persistence;

import dev.vivarium.persistence.audit.RunIndex;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.output.OutputStore;
import dev.vivarium.persistence.secrets.SecretVault;

/** All that lasts, as one node sees it. */
public interface Store {
    RunJournal journal();

    OutputStore output();

    RunIndex runs();

    SecretVault secrets();
}
