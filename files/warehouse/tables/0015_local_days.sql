-- One definition of days and hours: a day begins at the first instant of its date in the time zone (day_start()), and an
-- hour is one of the zone's clock, however long it is and however often it occurs.
ALTER TABLE public.hourly_events
    ALTER COLUMN hour TYPE timestamp USING hour AT TIME ZONE 'UTC'; -- and counted anew below

COMMENT ON TABLE public.hourly_events IS 'Events by hour of the time zone''s clock.';

SELECT set_config('warehouse_schema.afterwards', 'SELECT public.rebuild_model()', true);
