"""What the collector and the loader must agree on: the event contract of the platform.

Everything here is pure: no AWS client, no clock, no environment. Both functions carry this package
in their zip, so an event that the collector accepts is an event that the loader can read.

- `fields`      the names of an event's fields, camelCase and snake_case
- `names`       event names in use and their aliases (`event_names.json`, shared with the tracker)
- `jsontext`    strict JSON in, canonical JSON out
- `validation`  what makes a JSON value an event
- `identity`    the event id
- `timestamps`  ISO 8601 in, UTC out, clock skew corrected
- `gzipped`     gzip in, within a limit
- `text`        text that PostgreSQL can store
- `telemetry`   structured log lines and metrics on standard output
"""
