"""The collector: an HTTP request with events in, one raw object in S3 out.

- `handler`   the Lambda entry point: environment, clients, log, and nothing else
- `settings`  limits and options from the environment
- `request`   API Gateway's event -> the body as text, who called, and with which identity
- `events`    the body's text -> events kept and events refused
- `raw`       what is stored: the raw object and the object of refused events
- `answer`    what is answered
- `collect`   the whole way from request to answer, given a function that stores

Only `handler` knows AWS; the rest is pure and tested as such.
"""
