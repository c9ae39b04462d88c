UPDATE public.etl_runs
SET chunks = %(chunks)s,
    objects_listed = %(objects_listed)s,
    objects_skipped = %(objects_skipped)s,
    objects_read = %(objects_read)s,
    objects_failed = %(objects_failed)s,
    objects_left = %(objects_left)s,
    events_loaded = %(events_loaded)s,
    events_duplicate = %(events_duplicate)s,
    events_rejected = %(events_rejected)s,
    events_refused = %(events_refused)s,
    events_refused_kept = %(events_refused_kept)s
WHERE run_id = %(run_id)s
