COPY etl_ids (event_id, received_at) FROM STDIN
