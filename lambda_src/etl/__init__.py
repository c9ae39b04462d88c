"""The loader: raw objects in S3 -> rows in the warehouse, each event exactly once.

The run:

- `handler`     the Lambda entry point: environment, clients and log, nothing else
- `settings`    the environment
- `payload`     what a call asks for -> which raw objects
- `run`         the whole run: read, load, stop in time, answer
- `listing`     which raw objects are still to be loaded: watermark, closed hours, failed objects
- `progress`    how far a run has come
- `answer`      what a run answers

Raw objects:

- `store`       S3: list and find objects
- `fetch`       S3: read one object
- `reading`     reads objects ahead, concurrently and within bounds
- `records`     a raw object -> rows and rejected events (pure)
- `row`         an event -> a row (pure), with `bots`
- `fast_path`   the same in a quarter of the time, for usual events (pure)
- `labels`      what strangers name, and the rows in which it counts as "(other)" (pure)
- `copytext`    rows -> PostgreSQL's COPY text (pure)

PostgreSQL:

- `chunk`       the objects of one transaction (pure)
- `warehouse`   what a run reads and writes
- `connection`  the connection, its lock, and what happens when it is lost
- `merge`       a chunk -> the tables
- `statements`  the SQL, from `sql/`

Why nothing is lost or loaded twice: the ledger says which raw objects are loaded, and is written in the same
transaction as their rows. An event id is unique in the table. Of several copies of an event the one that was
accepted first stays, in whatever order they are loaded.

Why no object stops the others: a chunk that fails is halved until the objects at fault are alone. These are
set aside (`run`). What is no object's fault (`connection`) ends the run.
"""
