-- What tables.py makes, so that no cassette waits for SQLModel to be imported. A test holds that the two are one.

CREATE TABLE meta (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY ("key")
) WITHOUT ROWID;

CREATE TABLE interaction (
    number INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    request_body INTEGER,
    request_size INTEGER,
    response_body INTEGER,
    response_size INTEGER,
    started FLOAT NOT NULL,
    duration FLOAT NOT NULL,
    frames INTEGER NOT NULL,
    packing TEXT NOT NULL,
    head BLOB NOT NULL,
    checksum BLOB NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE frame (
    interaction INTEGER NOT NULL,
    position INTEGER NOT NULL,
    from_client INTEGER NOT NULL,
    kind TEXT NOT NULL,
    code INTEGER,
    at FLOAT NOT NULL,
    packing TEXT NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (interaction, position)
) WITHOUT ROWID;

CREATE TABLE body (
    id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    packing TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE body_chunk (
    id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    position INTEGER NOT NULL,
    size INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (digest, position)
);
