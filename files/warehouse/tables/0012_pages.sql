-- Page views are pages seen, whatever a tracker sends for one: a page_view, a specific view (home_view, category_view,
-- product_view), or both.

-- The page_view events that a specific view of the same session and URL, within ten seconds, says too. add_sessions()
-- writes them.
CREATE TABLE public.repeated_views (
    visitor     bigint      NOT NULL,
    started_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    login_state text        NOT NULL
);

CREATE INDEX repeated_views_visitor_idx ON public.repeated_views (visitor, started_at);

-- Views counted by event, less the repeated ones counted from sessions.
CREATE TABLE public.hourly_pages (
    hour        timestamp NOT NULL,
    login_state text      NOT NULL,
    pages       bigint    NOT NULL,
    PRIMARY KEY (hour, login_state)
) WITH (fillfactor = 80);

ALTER TABLE public.sessions ADD COLUMN bounced boolean NOT NULL DEFAULT false;

COMMENT ON TABLE public.repeated_views IS
    'page_view events that are no page of their own. started_at: the session''s; login_state: the event''s.';
COMMENT ON TABLE public.hourly_pages IS 'Pages seen, by hour of the time zone''s clock and login state of the event.';
COMMENT ON COLUMN public.sessions.page_views IS 'Pages seen: a page_view and a specific view of one page are one.';
COMMENT ON COLUMN public.sessions.bounced IS
    'Whether one page was seen and nothing put into the cart or bought, in the whole session.';
COMMENT ON COLUMN public.daily_sessions.bounces IS
    'Sessions with one page seen in which nothing was put into the cart or bought.';

GRANT SELECT ON public.repeated_views, public.hourly_pages TO clickstream_reader;

SELECT set_config('warehouse_schema.afterwards', 'SELECT public.rebuild_model()', true);
