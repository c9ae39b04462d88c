COPY public.rejected_events (object_key, position, code, reason, raw_event) FROM STDIN
