"""The event contract: what the collector and the loader must agree on, and what both functions use.

Both functions have this package in their zip, so an event that the collector accepts is an event that the
loader can read. Nothing in it calls AWS, and everything but `telemetry` is pure.

- `fields`      the names of an event's fields, camelCase and snake_case
- `names`       the platform's event names and their aliases (`event_names.json`)
- `jsontext`    strict JSON in, canonical JSON out
- `validation`  what makes a JSON value an event
- `identity`    the event id
- `orders`      what an event says was bought
- `timestamps`  ISO 8601 in, UTC out, clock skew corrected
- `gzipped`     gzip in, within a limit
- `text`        text that PostgreSQL can store
- `settings`    typed values from environment variables
- `telemetry`   structured log lines and metrics on standard output
"""
