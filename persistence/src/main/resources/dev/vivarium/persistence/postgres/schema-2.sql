-- Whose data these are: one name for ever, which every sandbox carries as a label. The row is put in beside this script.

CREATE TABLE installation (
    id     char(26) NOT NULL,
    single boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (single)
);
