-- One loader at a time. The lock belongs to the session and is released with it, however it ends.
-- 6022170 is this project's number for "ETL"; the model's is 6022171 (files/warehouse).
SELECT pg_try_advisory_lock(6022170)
