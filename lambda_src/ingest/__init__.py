"""The collector: an HTTP request with events in, one raw object in S3 out.

- `handler`   the Lambda entry point: environment, clients and log, nothing else
- `settings`  limits and options from the environment
- `request`   API Gateway's event -> the body as text, the caller, and a verified identity
- `privacy`   senders who object to being tracked
- `events`    the body's text -> valid events and refused events
- `raw`       what is stored: the raw object, and the object of refused events
- `answer`    the HTTP response
- `collect`   from request to response, given a function that stores objects

Only `handler` calls AWS; everything else is pure.
"""
