"""The loader: raw objects in S3 -> rows in the warehouse, each event exactly once.

- `handler`    the Lambda entry point: environment, clients, log, and nothing else
- `settings`   the environment
- `payload`    what a call asks for -> which raw objects
- `store`      S3: list and get
- `reading`    reads objects ahead, concurrently and within bounds
- `records`    a raw object -> rows and rejected events (pure)
- `copytext`   rows -> PostgreSQL's COPY text (pure)
- `warehouse`  PostgreSQL: lock, ledger, one transaction per chunk; its SQL is in `sql/`
- `run`        the whole run: what is read, when it is loaded, when to stop, what is answered

How nothing is lost and nothing is twice: the ledger says which raw objects are loaded and is
written in the transaction that loads them; an event id is unique in the table; of several copies of
one event the first accepted one stays, in whatever order they are loaded.
"""
