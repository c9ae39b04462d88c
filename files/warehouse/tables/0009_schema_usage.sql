-- What loader and reader need besides their tables: the schema, and for the loader its temporary staging table.
GRANT USAGE ON SCHEMA public TO clickstream_loader, clickstream_reader;

DO $$
BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO clickstream_loader', current_database());
END
$$;
