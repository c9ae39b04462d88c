-- Counts of events: each event is in exactly one row of each table. All but daily_loads leave bots out. follow_events()
-- writes them. Rows are updated often, so pages leave room for it (fillfactor).

-- The time zone whose days and hours are counted by. set_time_zone() changes it.
CREATE TABLE public.model_settings (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    time_zone text    NOT NULL
);

INSERT INTO public.model_settings (time_zone) VALUES ('Asia/Ho_Chi_Minh');

CREATE TABLE public.hourly_events (
    hour        timestamptz NOT NULL,
    login_state text        NOT NULL,
    category    text        NOT NULL,
    brand       text        NOT NULL,
    events      bigint      NOT NULL,
    PRIMARY KEY (hour, login_state, category, brand)
) WITH (fillfactor = 80);

CREATE TABLE public.daily_events (
    day         date   NOT NULL,
    event_name  text   NOT NULL,
    login_state text   NOT NULL,
    category    text   NOT NULL,
    brand       text   NOT NULL,
    events      bigint NOT NULL,
    PRIMARY KEY (day, event_name, login_state, category, brand)
) WITH (fillfactor = 80);

-- Bots are counted too.
CREATE TABLE public.daily_loads (
    day         date     NOT NULL,
    is_bot      boolean  NOT NULL,
    lag_bucket  smallint NOT NULL,
    events      bigint   NOT NULL,
    PRIMARY KEY (day, is_bot, lag_bucket)
) WITH (fillfactor = 80);

COMMENT ON TABLE public.hourly_events IS 'Events by hour of the time zone''s clock (the instant at which it begins).';
COMMENT ON TABLE public.daily_events IS 'Events by day of the time zone (model_settings).';
COMMENT ON TABLE public.daily_loads IS 'Events by day and by how long they took into the warehouse.';
COMMENT ON COLUMN public.daily_loads.lag_bucket IS
    'loaded_at - event_timestamp: 0 = under 15 minutes, then from 15, 30, 60 minutes, 2, 6 hours, 1 day (= 6) on.';

GRANT SELECT ON public.model_settings, public.hourly_events, public.daily_events, public.daily_loads
    TO clickstream_reader;
