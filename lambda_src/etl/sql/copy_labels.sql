COPY etl_labels (number, kind, day, value, source_object, position) FROM STDIN
